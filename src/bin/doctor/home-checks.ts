import { constants } from 'node:fs';
import { access, lstat, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { claudeExecutable } from '../../agents/claude-executable.ts';
import { findModelAccess } from '../../agents/model-access.ts';
import { openConfig } from '../../config/config-source.ts';
import { byteSize } from '../../cli/print/figures.ts';
import { checkHome } from '../../config/init-home.ts';
import { Fault } from '../../contract/faults.ts';
import { shellWord } from '../../git/shell-word.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { type Check, type CheckResult, result } from './check.ts';
import { versionOf } from './machine-checks.ts';

export function homeChecks(layout: HomeLayout, signal: AbortSignal): Check[] {
  return [
    () => checkClaude(signal),
    () => orFault('model access', 'warning', () => checkModelAccess(layout)),
    () => orFault('home', 'broken', async () => (await checkHome(layout), result('home', 'ok', layout.home))),
    () => orFault('config', 'broken', () => checkConfig(layout)),
    () => orFault('root repos', 'broken', () => checkRoots(layout)),
    () => checkKeptFolders(layout),
  ];
}

/** A check that throws a fault found something wrong, and the fault says what and how to mend it. */
async function orFault(
  name: string,
  state: 'warning' | 'broken',
  check: () => CheckResult | Promise<CheckResult>,
): Promise<CheckResult> {
  try {
    return await check();
  } catch (error) {
    if (error instanceof Fault) return result(name, state, error.message, error.hint);
    throw error;
  }
}

async function checkClaude(signal: AbortSignal): Promise<CheckResult> {
  const executable = claudeExecutable();
  const fix = 'Run `npm ci` in the folder of takt.';
  if (executable === undefined) return result('Claude Code', 'broken', 'was not installed with takt', fix);
  const version = await versionOf(executable, ['--version'], signal);
  return version === undefined
    ? result('Claude Code', 'broken', `${executable} does not start`, fix)
    : result('Claude Code', 'ok', version);
}

function checkModelAccess(layout: HomeLayout): CheckResult {
  const settings = openConfig(layout).settings();
  const access = findModelAccess({ environment: process.env, settings, homeFolder: homedir() });
  const ways = {
    environment: 'a key in this environment',
    keyFile: 'the key file of settings.yaml',
    login: 'the login of Claude Code',
  };
  return result('model access', 'ok', `${ways[access.kind]}, for ${access.baseUrl}`);
}

function checkConfig(layout: HomeLayout): CheckResult {
  const config = openConfig(layout);
  config.settings();
  const count = config.repos().length;
  return result('config', 'ok', `settings.yaml and repos.yaml are valid; ${count === 1 ? '1 repo' : `${count} repos`}`);
}

/** A root repo without its hooks still triggers, by the sweep, but later, and takes pushes that it should refuse. */
async function checkRoots(layout: HomeLayout): Promise<CheckResult> {
  const wrong: string[] = [];
  for (const { name } of openConfig(layout).repos()) {
    const root = layout.root(name);
    if (
      !(await isExecutable(join(root, 'hooks', 'pre-receive'))) ||
      !(await isExecutable(join(root, 'hooks', 'post-receive')))
    )
      wrong.push(name);
  }
  if (wrong.length === 0) return result('root repos', 'ok', 'each has its hooks');
  return result(
    'root repos',
    'warning',
    `${wrong.join(', ')}: a hook is missing`,
    '`takt service restart` puts hooks back; `takt repo list` shows whether the repo is there at all.',
  );
}

const KEPT_SHOWN = 5;

/** Folders that were put aside, since they hold work that could not be pinned; nothing else ever removes them. */
async function checkKeptFolders(layout: HomeLayout): Promise<CheckResult> {
  const names = (await namesIn(layout.runs)).filter((name) => /\.kept-\d+$/.test(name));
  if (names.length === 0) return result('kept folders', 'ok', 'none');
  const shown = names.slice(0, KEPT_SHOWN).map((name) => join(layout.runs, name));
  const sized = await Promise.all(shown.map(async (folder) => `${folder} (${byteSize(await sizeOf(folder))})`));
  const more = names.length > KEPT_SHOWN ? `, and ${names.length - KEPT_SHOWN} more` : '';
  return result(
    'kept folders',
    'warning',
    `work that could not be pinned: ${sized.join(', ')}${more}`,
    `Look into them, then remove what you need no more: rm -rf ${shown.map(shellWord).join(' ')}`,
  );
}

/** Bytes of all files below; links are not followed, and what cannot be read counts as nothing. */
async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    const found = await lstat(path).catch(() => undefined);
    bytes += found?.isDirectory() === true ? await sizeOf(path) : (found?.size ?? 0);
  }
  return bytes;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).toSorted();
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
