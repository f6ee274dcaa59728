import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import test, { type TestContext } from 'node:test';

type Work = (t: TestContext) => unknown;
type Skip = { readonly skip: string | boolean | undefined };

/** As `test` of node:test, with or without a reason of its own to skip. */
export interface TestOrSkip {
  (name: string, work: Work): void;
  (name: string, own: Skip, work: Work): void;
}

/**
 * `test` for what needs programs that a machine may lack: there the tests are skipped, each by name and with the
 * program that is missing. With `CI=true` the runner takes that for a failure.
 */
export function testNeeding(...programs: readonly string[]): TestOrSkip {
  const missing = programs.filter((program) => !isInstalled(program));
  const lacking = missing.length === 0 ? undefined : `needs ${missing.join(' and ')}`;
  return (name: string, ownOrWork: Skip | Work, givenWork?: Work) => {
    const own = typeof ownOrWork === 'function' ? undefined : ownOrWork.skip;
    const work = typeof ownOrWork === 'function' ? ownOrWork : givenWork;
    test(name, { skip: lacking ?? own ?? false }, async (t) => {
      await work?.(t);
    });
  };
}

/** Why no file systems can be mounted in a namespace of a test's own here; undefined if they can. */
export function reasonAgainstMounts(): string | undefined {
  const words = ['--user', '--map-root-user', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'];
  return spawnSync('unshare', words).status === 0 ? undefined : 'needs a namespace in which it may mount';
}

export function isInstalled(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  return folders.some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
