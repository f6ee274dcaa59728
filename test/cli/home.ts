import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takt, type TaktResult } from './takt-process.ts';

export interface TestHome extends AsyncDisposable {
  readonly folder: string;
  readonly env: Record<string, string>;
  takt(...words: string[]): Promise<TaktResult>;
}

/** A home made by `takt init`; its service, if a command started one, is stopped in the end. */
export async function newHome(): Promise<TestHome> {
  const folder = mkdtempSync(join(tmpdir(), 'takt-cli-'));
  // Port 0 lets the system choose one, so that homes of tests running side by side do not meet.
  const env = { TAKT_HOME: folder, TAKT_PORT: '0' };
  const { code, stderr } = await takt(['init'], { env });
  assert.equal(code, 0, stderr);
  return {
    folder,
    env,
    takt: (...words) => takt(words, { env }),
    async [Symbol.asyncDispose]() {
      await takt(['service', 'stop'], { env });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const AUTHOR = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];

/** What git says, without the blank end. */
export function git(folder: string, ...words: string[]): string {
  return execFileSync('git', [...AUTHOR, ...words], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

/** Commits a file and gives the commit. */
export function commitFile(folder: string, name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  git(folder, 'add', name);
  git(folder, 'commit', '-q', '-m', `${name}: ${text}`);
  return git(folder, 'rev-parse', 'HEAD');
}

/** A bare repository with one commit on `main`, as an upstream is one. */
export function newUpstream(folder: string, name: string): string {
  const work = join(folder, `${name}-work`);
  const bare = join(folder, `${name}.git`);
  execFileSync('git', ['init', '-q', '-b', 'main', work]);
  commitFile(work, 'README', name);
  execFileSync('git', ['clone', '-q', '--bare', work, bare], { stdio: 'ignore' });
  return bare;
}
