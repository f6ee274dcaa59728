import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AttemptRepo } from '../../src/contract/attempt.ts';
import { openBundleFrames, type BundleFrame } from '../../src/git/bundle-frames.ts';
import { collectScript } from '../../src/git/collect-script.ts';
import { worktreeScript } from '../../src/git/run-worktree.ts';
import { takeInBundle } from '../../src/git/take-in-bundle.ts';
import { limit, newRoot, operator, type Scratch } from './scratch.ts';

/** The repo `app` as an attempt gets it. */
export function attemptRepo(rootFolder: string, start: string, more: Partial<AttemptRepo> = {}): AttemptRepo {
  const rest = {
    upstream: 'x',
    pushUrl: 'x',
    dependsOn: [],
    setup: null,
    copy: [],
    cache: [],
    cacheFolder: '/nonexistent',
    defaultBranch: 'main',
  };
  return {
    ...AttemptRepo.parse({ name: 'app', role: 'edit', rootFolder, commit: start, base: start, ...rest }),
    ...more,
  };
}

/** Runs a script as the step host does, without walls. */
export function shell(folder: string, script: string): { status: number | null; stdout: Buffer; stderr: string } {
  mkdirSync(folder, { recursive: true });
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder };
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-s'], {
    cwd: folder,
    env,
    input: script,
    maxBuffer: 1 << 28,
  });
  return { status, stdout, stderr: stderr.toString() };
}

export function mustRun(folder: string, script: string): void {
  const { status, stderr } = shell(folder, script);
  assert.equal(status, 0, stderr);
}

export const RUN = 'run_0000000000000001';
export const ATTEMPT = 'att_0000000000000001';

export async function collect(
  scratch: Scratch,
  runFolder: string,
  start: string,
  commitLeftovers: boolean,
): Promise<BundleFrame[]> {
  const script = collectScript([{ name: 'app', commit: start }], {
    commitLeftovers,
    message: 'left over',
    author: operator,
  });
  const child = spawn('/bin/sh', ['-c', script], {
    cwd: runFolder,
    env: { PATH: process.env['PATH'] ?? '', HOME: runFolder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const bundles = scratch.path(`bundles-${Math.random()}`);
  mkdirSync(bundles);
  const frames: BundleFrame[] = [];
  for await (const frame of openBundleFrames(child.stdout, { folder: bundles })) frames.push(frame);
  return frames;
}

export async function started(
  scratch: Scratch,
  more: Partial<AttemptRepo> = {},
): Promise<{ root: string; start: string; runFolder: string; app: string; repo: AttemptRepo }> {
  const { root, start } = await newRoot(scratch);
  const runFolder = scratch.path('runs', 'task-1');
  const repo = attemptRepo(root, start, more);
  mustRun(runFolder, worktreeScript([repo]));
  return { root, start, runFolder, app: join(runFolder, 'app'), repo };
}

export const take = (rootFolder: string, frame: BundleFrame): Promise<void> =>
  takeInBundle({
    rootFolder,
    run: RUN,
    attempt: ATTEMPT,
    head: frame.head,
    leftover: frame.leftover,
    bundleFile: frame.bundleFile,
    signal: limit(),
  });
