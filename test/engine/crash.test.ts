import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { landingsOfRun } from '../../src/store/landings.ts';
import { lastLines } from '../../src/store/last-lines.ts';
import { seenRef } from '../../src/store/seen-refs.ts';
import { type DeskHome, openDeskHome } from './desk-home.ts';
import type { KillPoint } from './desk-process.ts';

/** Every moment at which the service is killed here, in the order in which a run comes to them. */
const POINTS: readonly KillPoint[] = [
  'moves-taken-in',
  'starts-pinned',
  'run-begun',
  'spool-written',
  'attempt-inserted',
  'host-started',
  'outcome-seen',
  'attempt-sealed',
  'landing-planned',
  'landed-app',
  'landed-lib',
  'landing-settled',
  'run-ended',
  'folder-removed',
];

/** Runs a desk on the home until it ends, by itself or by its own signal. */
async function work(home: DeskHome, point?: KillPoint): Promise<NodeJS.Signals | null> {
  const args = [
    join(import.meta.dirname, 'desk-process.ts'),
    home.layout.home,
    ...(point === undefined ? [] : [point]),
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  assert.ok(code === 0 || signal === 'SIGKILL', `the desk ended with ${code ?? signal}`);
  return signal;
}

describe('a service that is killed loses and doubles nothing', { concurrency: 2 }, () => {
  for (const point of POINTS) {
    test(`killed at ${point}`, async () => {
      await using home = await openDeskHome();
      home.setSteps({ lines: 5, commits: { app: 'a', lib: 'b' } }, { lines: 5 });
      const start = home.push('app', 'second');

      const signal = await work(home, point);
      await work(home);

      assert.equal(signal, 'SIGKILL', 'the point was reached');
      const runs = home.runs();
      assert.equal(runs.length, 1);
      const [run] = runs;
      assert.equal(run?.state, 'passed', JSON.stringify(run?.reason));
      assert.equal(run.repos[0]?.start, start);
      assert.deepEqual(
        run.steps.map((step) => step.attempts.map((attempt) => attempt.state)),
        [['passed'], ['passed'], ['passed']],
      );
      assert.equal(run.landing, 'whole');
      for (const repo of ['app', 'lib']) {
        const subjects = home.git(repo, 'log', '--format=%s', 'work').split('\n');
        assert.equal(subjects.filter((subject) => subject === 'step-1 1').length, 1, 'landed once');
        assert.equal(seenRef(home.database, repo, 'work'), home.tip(repo));
      }
      assert.deepEqual(
        landingsOfRun(home.database, run.id).map((landing) => landing.state),
        ['landed', 'landed'],
      );
      for (const step of run.steps.slice(1)) {
        assert.equal(lastLines(home.database, step.attempts[0]!.id, 100).length, 5);
      }
      assert.equal(run.folder, null);
      assert.equal(existsSync(home.layout.runFolder('work', 1)), false);
      assert.deepEqual(readdirSync(home.layout.attemptsSpool), []);
    });
  }
});
