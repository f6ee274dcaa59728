import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../contract/faults.ts';
import { readRegularFile } from '../platform/files.ts';
import { gitResult, quietEnvironment } from './git.ts';

/** A value of a configuration; keys are as git writes them, section and variable in small letters. */
export type ConfigValue = readonly [key: string, value: string];

const CONFIG_LIMIT_BYTES = 4 * 1024 * 1024;
/** A mistake in the user's own configuration is none in the file that is read. */
const WITHOUT_SETTINGS = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };

/**
 * The values of a foreign repository's configuration whose keys fit a pattern; a key may come more than once, and one
 * that is written without a value is `true`. It is read as a file, without what it includes: a foreign one may name
 * programs. `cwd` is any folder of takt's own; `name` is the file's, below the git folder. Fault UPSTREAM_DAMAGED, with
 * git's words, for one that is broken or no file.
 */
export async function foreignConfig(
  cwd: string,
  { gitFolder, name = 'config', pattern }: { gitFolder: string; name?: string; pattern: string },
  { signal }: { signal: AbortSignal },
): Promise<ConfigValue[]> {
  const file = join(gitFolder, name);
  const input = await readRegularFile(file, CONFIG_LIMIT_BYTES);
  if (input === undefined && !(await isThere(file))) return [];
  if (input === undefined) throw broken(file);
  // By standard input: whoever reads a file by its name can be made to wait for ever.
  const args = ['config', '--file', '-', '--no-includes', '-z', '--get-regexp', pattern];
  const env = { ...quietEnvironment(), ...WITHOUT_SETTINGS };
  const result = await gitResult(cwd, args, { env, signal, input });
  if (result.exitCode !== 0 && result.exitCode !== 1) throw broken(file, result.stderr.trim());
  return configValues(result.stdout);
}

/** What `git config --null` lists. */
export function configValues(listed: Buffer): ConfigValue[] {
  const entries = listed.toString('utf8').split('\0').slice(0, -1);
  return entries.map((entry) => {
    const end = entry.indexOf('\n');
    return end === -1 ? [entry, 'true'] : [entry.slice(0, end), entry.slice(end + 1)];
  });
}

/** As git reads a boolean. */
export const isYes = (value: string): boolean => /^(true|yes|on|[+]?0*[1-9][0-9]*)$/i.test(value);

function broken(file: string, detail?: string): Fault {
  return new Fault('UPSTREAM_DAMAGED', `The configuration ${file} cannot be read.`, {
    hint: 'Mend that file; `git config --list` in that repository shows what is wrong with it.',
    ...(detail === undefined ? {} : { detail }),
  });
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
