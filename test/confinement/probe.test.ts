import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { spawnSync } from 'node:child_process';
import { probeConfinement } from '../../src/confinement/probe.ts';
import type { CameOut, InWalls } from './run-in-walls.ts';
import { testNeeding } from '../driver/machine.ts';

const test = testNeeding('bwrap');

const IN_WALLS = join(import.meta.dirname, 'run-in-walls.ts');

test('bubblewrap is found to work by starting it', async () => {
  assert.deepEqual(await probeConfinement({ signal: AbortSignal.timeout(10_000) }), { works: true, why: '' });
});

/** A PATH whose bubblewrap is there and does not start, as where user namespaces are forbidden. */
function brokenBubblewrap(t: TestContext): { path: string; home: string } {
  const home = mkdtempSync(join(tmpdir(), 'takt-probe-'));
  t.after(() => rmSync(home, { recursive: true }));
  writeFileSync(join(home, 'bwrap'), '#!/bin/sh\necho "bwrap: No permissions to create new namespace" >&2\nexit 1\n');
  chmodSync(join(home, 'bwrap'), 0o755);
  return { path: `${home}:${process.env['PATH']}`, home };
}

for (const [mode, expected] of [
  ['strict', { fault: 'CONFINEMENT_MISSING' }],
  ['auto', { fault: null, exitCode: 0 }],
  ['off', { fault: null, exitCode: 0 }],
] as const) {
  test(`where bubblewrap does not start, ${mode} ${mode === 'strict' ? 'refuses, with its words' : 'does without it and says so'}`, (t) => {
    const { path, home } = brokenBubblewrap(t);
    const plan: InWalls = {
      mode,
      runFolder: join(home, 'runs/task-1'),
      agentFolder: join(home, 'agents/run_1'),
      rootObjects: [],
      run: 'true',
    };

    const { stdout } = spawnSync(process.execPath, [IN_WALLS, JSON.stringify(plan)], {
      env: { PATH: path },
      encoding: 'utf8',
    });

    const { fault, exitCode, used, stderr } = JSON.parse(stdout) as CameOut;
    assert.deepEqual({ fault, ...(mode === 'strict' ? {} : { exitCode }) }, expected);
    if (mode === 'strict') assert.match(stderr, /No permissions to create new namespace/);
    else assert.deepEqual(used, { filesystem: 'none', network: 'open', user: 'own' });
  });
}

test(
  'as root, a setpriv that only the PATH of takt has does not keep work from being confined',
  { skip: process.getuid?.() === 0 ? undefined : 'only root drops' },
  (t) => {
    const home = mkdtempSync(join(tmpdir(), 'takt-probe-'));
    t.after(() => rmSync(home, { recursive: true }));
    writeFileSync(join(home, 'setpriv'), '#!/bin/sh\nexec /usr/bin/setpriv "$@"\n', { mode: 0o755 });
    const plan: InWalls = {
      mode: 'strict',
      runFolder: join(home, 'runs/task-1'),
      agentFolder: join(home, 'agents/run_1'),
      rootObjects: [],
      run: 'true',
    };

    const { stdout } = spawnSync(process.execPath, [IN_WALLS, JSON.stringify(plan)], {
      env: { PATH: `${home}:${process.env['PATH']}` },
      encoding: 'utf8',
    });

    assert.deepEqual(
      { ...(JSON.parse(stdout) as CameOut), used: null },
      { exitCode: 0, stdout: '', stderr: '', used: null, fault: null },
    );
  },
);
