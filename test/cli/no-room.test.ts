import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const CLI = join(import.meta.dirname, '..', '..', 'src', 'bin', 'cli.ts');

/** Runs a shell line in which `takt` is the command line of this checkout. */
function inShell(line: string): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', `takt() { "$NODE" "$CLI" "$@"; }; ${line}`], {
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', NODE: process.execPath, CLI },
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

test('output that has no room is one sentence and exit code 7, and never a stack', () => {
  const help = inShell('takt help > /dev/full');
  const json = inShell('takt version --json > /dev/full');
  const there = inShell('takt version > /dev/null');

  assert.deepEqual([help.code, json.code, there.code], [7, 7, 0]);
  assert.match(help.stderr, /^takt: What takt prints has no room [^\n]*\(ENOSPC\)\.\n {6}Free space there[^\n]*\n$/);
  assert.equal(JSON.parse(json.stderr).fault.code, 'DISK_FULL');
});

test('a fault that cannot be said keeps its exit code', () => {
  assert.equal(inShell('takt nosuch 2> /dev/full').code, 2);
  assert.equal(inShell('takt version > /dev/full 2> /dev/full').code, 7);
});

test('a reader that goes away ends a command quietly', () => {
  const { stdout, stderr } = inShell('takt help | head -n 1');

  assert.match(stdout, /^takt: /);
  assert.equal(stderr, '');
});
