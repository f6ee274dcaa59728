import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { AttemptRepo } from '../../src/contract/attempt.ts';

/** The repo `app` as an attempt gets it. */
export function attemptRepo(rootFolder: string, start: string, more: Partial<AttemptRepo> = {}): AttemptRepo {
  const rest = {
    upstream: 'x',
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
