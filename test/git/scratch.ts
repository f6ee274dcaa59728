import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Fault, type FaultCode } from '../../src/contract/faults.ts';
import { createRoot } from '../../src/git/root-repo.ts';
import { refCommit } from '../../src/git/refs.ts';

/** A limit for the whole of a test's waits. */
export const limit = (): AbortSignal => AbortSignal.timeout(60_000);

export const operator = { name: 'Op Erator', email: 'op@example.org' };

/** A folder for one test, gone with it. */
export interface Scratch extends Disposable {
  readonly folder: string;
  path(...parts: string[]): string;
}

export function newScratch(name = 'takt-git-'): Scratch {
  const folder = mkdtempSync(join(tmpdir(), name));
  return {
    folder,
    path: (...parts) => join(folder, ...parts),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

const env = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: operator.name,
  GIT_AUTHOR_EMAIL: operator.email,
  GIT_COMMITTER_NAME: operator.name,
  GIT_COMMITTER_EMAIL: operator.email,
};

/** git as a person runs it, without a configuration of its own. */
export function run(folder: string, ...args: string[]): string {
  return execFileSync('git', args, {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  }).trimEnd();
}

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Like `run`, but a failure is an answer. */
export function tryRun(folder: string, ...args: string[]): Ended {
  return tryRunWith({}, folder, ...args);
}

/** Like `tryRun`, with more in the environment. */
export function tryRunWith(more: Record<string, string>, folder: string, ...args: string[]): Ended {
  const { status, stdout, stderr } = spawnSync('git', args, {
    cwd: folder,
    env: { ...env, ...more },
    encoding: 'utf8',
  });
  return { exitCode: status, stdout, stderr };
}

export function write(path: string, text: string, mode?: number): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  if (mode !== undefined) chmodSync(path, mode);
}

/** Writes files, commits them on the branch that is checked out, and gives the commit. */
export function commit(folder: string, files: Record<string, string>, message = 'change'): string {
  for (const [name, text] of Object.entries(files)) write(join(folder, name), text);
  run(folder, 'add', '--all');
  run(folder, 'commit', '--quiet', '--allow-empty', '-m', message);
  return run(folder, 'rev-parse', 'HEAD');
}

/** An upstream with a work tree, and one commit on `main`. */
export function newUpstream(folder: string): string {
  mkdirSync(folder, { recursive: true });
  run(folder, 'init', '--quiet', '--initial-branch=main');
  run(folder, 'config', 'receive.denyCurrentBranch', 'ignore');
  commit(folder, { 'README.md': 'hello\n', 'src/a.txt': 'one\ntwo\nthree\n' }, 'first');
  return folder;
}

/** An upstream and its root repo with a workspace branch `task`. */
export async function newRoot(
  scratch: Scratch,
  branch = 'task',
): Promise<{ upstream: string; root: string; start: string }> {
  const upstream = newUpstream(scratch.path('upstream'));
  const root = scratch.path('root', 'app');
  const { head } = await createRoot({ folder: root, upstream, signal: limit() });
  run(root, 'update-ref', `refs/heads/${branch}`, head);
  return { upstream, root, start: (await refCommit(root, `refs/heads/${branch}`, { signal: limit() })) ?? '' };
}

export function makeFifo(path: string): void {
  execFileSync('/usr/bin/env', ['mkfifo', path]);
}

/** For `assert.rejects`. */
export const isFault =
  (code: FaultCode) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof Fault, String(error));
    assert.equal(error.code, code, `${error.message} ${error.detail}`);
    return true;
  };
