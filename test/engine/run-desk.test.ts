import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pause } from '../../src/platform/wait.ts';
import { storedBytes } from '../../src/store/output.ts';
import { seenRef } from '../../src/store/seen-refs.ts';
import { type DeskHome, openDeskHome, type TestDesk } from './desk-home.ts';

const states = (run: { steps: { state: string }[] }): string[] => run.steps.map((step) => step.state);

/** Waits until the newest attempt of a run prints. */
async function untilItWorks(home: DeskHome, run: string): Promise<void> {
  const signal = AbortSignal.timeout(20_000);
  for (;;) {
    const attempt = home
      .runs()
      .find((each) => each.id === run)
      ?.steps.at(-1)
      ?.attempts.at(-1);
    if (attempt !== undefined && storedBytes(home.database, attempt.id) > 0) return;
    await pause(10, signal);
  }
}

/** A home whose only step works until the file `go` is there. */
async function homeAtWork(): Promise<{ home: DeskHome; desk: TestDesk; go: string; first: string }> {
  const home = await openDeskHome();
  const go = join(home.layout.home, 'go');
  home.setSteps({ lines: 1, until: go, commits: { app: 'worked' } });
  const desk = await home.openDesk();
  const first = await desk.trigger('work', null);
  await untilItWorks(home, first);
  return { home, desk, go, first };
}

test('a push starts a run on its commits, and what it makes lands in every repo', async () => {
  await using home = await openDeskHome();
  home.setSteps({ lines: 3, commits: { app: 'a', lib: 'b' } }, { lines: 1 });
  await using desk = await home.openDesk();

  const pushed = home.push('app', 'second');
  await desk.look();
  const [queued] = home.runs();
  const run = await desk.until(queued!.id, 'passed', 'failed');

  assert.equal(run.state, 'passed', JSON.stringify(run.reason));
  assert.equal(run.trigger, 'push');
  assert.equal(run.repos.find((repo) => repo.repo === 'app')?.start, pushed);
  assert.deepEqual(states(run), ['passed', 'passed', 'passed']);
  assert.equal(run.landing, 'whole');
  for (const repo of ['app', 'lib']) {
    assert.equal(home.tip(repo), run.repos.find((each) => each.repo === repo)?.head);
    assert.equal(seenRef(home.database, repo, 'work'), home.tip(repo));
  }
  assert.equal(home.git('app', 'log', '--format=%s', '-2', 'work'), 'step-1 1\nsecond');
  assert.equal(home.tip('docs', `refs/takt/runs/${run.id}/start`), home.tip('docs', 'main'));
  await desk.look();
  assert.equal(home.runs().length, 1, 'landing triggers nothing');
});

test('pushes to several repos within a second are one run, with the last commit of each', async () => {
  await using home = await openDeskHome();
  home.setSteps({ lines: 1 });
  await using desk = await home.openDesk();

  home.push('app', 'one');
  await desk.look();
  const lib = home.push('lib', 'two');
  await desk.look();
  const app = home.push('app', 'three', { force: true });
  await desk.look();
  const run = await desk.until(home.runs()[0]!.id, 'passed');

  assert.equal(home.runs().length, 1);
  assert.deepEqual(
    run.repos.map((repo) => [repo.repo, repo.start]),
    [
      ['app', app],
      ['lib', lib],
      ['docs', home.tip('docs', 'main')],
    ],
  );
});

test('without a pipeline a push is seen and starts nothing; a fetch of other branches changes nothing', async () => {
  await using home = await openDeskHome();
  await using desk = await home.openDesk();

  const commit = home.push('app', 'second');
  home.git('app', 'update-ref', 'refs/heads/other', commit);
  await desk.look();

  assert.equal(home.runs().length, 0);
  assert.equal(seenRef(home.database, 'app', 'work'), commit);
  assert.equal(seenRef(home.database, 'app', 'other'), undefined);
});

test('a passed run leaves no folder; a failed one keeps it, and says why, where and what it printed', async () => {
  await using home = await openDeskHome();
  home.setSteps({ lines: 3, passesAt: 2, commits: { app: 'x' } });
  await using desk = await home.openDesk();

  const run = await desk.until(await desk.trigger('work', 'try it'), 'passed', 'failed');

  assert.equal(run.state, 'failed');
  assert.equal(run.reason?.class, 'exit_code');
  assert.equal(run.note, 'try it');
  assert.deepEqual(run.lastLines, ['line 0', 'line 1', 'line 2']);
  assert.equal(existsSync(run.folder!), true);
  assert.deepEqual(
    run.pins.map((pin) => [pin.repo, pin.what, pin.step, home.tip('app', pin.ref)]),
    [['app', 'head', 'step-1', run.steps[1]!.attempts[0]!.repos[0]!.head]],
  );
  assert.equal(run.repos[0]?.head, run.repos[0]?.start, 'work that failed is not the run’s');
  await desk.retry(run.id, undefined);
  const again = await desk.until(run.id, 'passed', 'failed');
  assert.equal(again.state, 'passed');
  assert.deepEqual(
    again.steps[1]?.attempts.map((attempt) => [attempt.number, attempt.state]),
    [
      [1, 'failed'],
      [2, 'passed'],
    ],
  );
  await desk.stop();
  assert.equal(existsSync(run.folder!), false);
  assert.equal(home.runs()[0]?.folder, null);
});

test('a step is tried again as often as it says', async () => {
  await using home = await openDeskHome();
  home.setSteps({ retries: 2, passesAt: 3 }, { retries: 1, passesAt: 9 }, {});
  await using desk = await home.openDesk();

  const run = await desk.until(await desk.trigger('work', null), 'passed', 'failed');

  assert.deepEqual(
    run.steps.map((step) => [step.state, step.attempts.length]),
    [
      ['passed', 1],
      ['passed', 3],
      ['failed', 2],
      ['skipped', 0],
    ],
  );
});

test('a newer push ends the running run, whose work is pinned, and takes its place', async () => {
  const { home, desk, go, first } = await homeAtWork();
  await using _home = home;
  await using _desk = desk;

  const pushed = home.push('app', 'second');
  await desk.look();
  const stopped = await desk.until(first, 'superseded');
  await writeFile(go, '');
  const newer = await desk.until(home.runs()[1]!.id, 'passed');

  assert.equal(stopped.supersededBy, newer.number);
  assert.equal(stopped.steps[1]?.attempts[0]?.state, 'superseded');
  assert.equal(newer.repos[0]?.start, pushed);
});

test('with `finish` a running run ends by itself, its work does not overwrite the push, and can be merged later', async () => {
  const { home, desk, go, first } = await homeAtWork();
  await using _home = home;
  await using _desk = desk;
  home.settings = { on_new_push: 'finish' };

  const pushed = home.push('app', 'second');
  await desk.look();
  await writeFile(go, '');
  const older = await desk.until(first, 'passed');
  const newer = await desk.until(home.runs()[1]!.id, 'passed');

  assert.equal(older.landing, 'part');
  assert.equal(home.git('app', 'merge-base', '--is-ancestor', pushed, 'work'), '');
  assert.equal(newer.landing, 'whole');
  const landed = await desk.land(older.id as never);

  assert.deepEqual(
    landed.map(({ repo, how }) => [repo, how]),
    [['app', 'merge']],
  );
  assert.equal(home.tip('app'), landed[0]?.to);
  assert.equal(home.runs()[0]?.landing, 'whole');
  assert.equal(seenRef(home.database, 'app', 'work'), home.tip('app'));
  await desk.look();
  assert.equal(home.runs().length, 2, 'a merge triggers nothing');
});

test('a merge in conflict is refused with files and ref, and moves nothing', async () => {
  const { home, desk, first } = await homeAtWork();
  await using _home = home;
  await using _desk = desk;
  home.setSteps({ commits: { app: 'something else' } });
  home.push('app', 'second');
  await desk.look();
  const stopped = await desk.until(first, 'superseded');
  await desk.until(home.runs()[1]!.id, 'passed');
  const before = home.tip('app');

  await assert.rejects(desk.land(first as never), (fault: { code: string; detail: string }) => {
    assert.equal(fault.code, 'LANDING_CONFLICT');
    assert.equal(fault.detail, `ref: ${stopped.pins[0]?.ref}\nfile: step-1.txt`);
    return true;
  });

  assert.equal(home.tip('app'), before);
});

test('a deleted branch cancels what gathers, and what runs cannot land', async () => {
  const { home, desk, go, first } = await homeAtWork();
  await using _home = home;
  await using _desk = desk;
  home.settings = { on_new_push: 'finish' };
  home.push('lib', 'second');
  await desk.look();

  home.git('app', 'update-ref', '-d', 'refs/heads/work');
  await desk.look();
  await writeFile(go, '');
  const run = await desk.until(first, 'passed');

  assert.equal(home.runs()[1]?.state, 'cancelled');
  assert.equal(run.landing, 'part');
  assert.throws(() => home.tip('app'));
  assert.equal(run.pins.length, 1);
});

test('a run that is cancelled ends with its attempt; one that is over cannot be', async () => {
  const { home, desk, first } = await homeAtWork();
  await using _home = home;
  await using _desk = desk;

  await desk.cancel(first as never);
  const run = await desk.until(first, 'cancelled');

  assert.deepEqual(states(run), ['passed', 'failed']);
  assert.deepEqual(
    run.pins.map((pin) => pin.what),
    ['head'],
  );
  await assert.rejects(desk.cancel(first as never), { code: 'RUN_STATE' });
});

test('a vanished command is pinned first, and then starts again from the recorded tree', async () => {
  await using home = await openDeskHome();
  home.setSteps({ lines: 1, staysAt: 3, commits: { app: 'x' } });
  await using desk = await home.openDesk();

  const run = await desk.until(await desk.trigger('work', null), 'passed', 'failed');

  assert.deepEqual(
    run.steps[1]?.attempts.map((attempt) => [attempt.state, attempt.isSalvage ?? false]),
    [
      ['interrupted', false],
      ['passed', true],
      ['passed', false],
    ],
  );
  assert.equal(run.landing, 'whole');
});

test('runs of one workspace never work at once, and no more steps than there are places', async () => {
  const { home, desk, go, first } = await homeAtWork();
  await using _home = home;
  await using _desk = desk;
  home.settings = { on_new_push: 'finish', steps_at_once: 4 };

  const second = await desk.trigger('work', null);
  const queued = await desk.until(second, 'queued');
  const third = await desk.trigger('work', null);
  await desk.until(third, 'queued');

  assert.equal(queued.startedAtMs, null);
  assert.equal((await desk.until(second, 'superseded')).supersededBy, 3);
  await writeFile(go, '');
  await desk.until(first, 'passed');
  await desk.until(third, 'passed');
});
