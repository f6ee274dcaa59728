import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { attemptRequest } from '../../src/store/attempts.ts';
import type { Run } from '../../src/contract/run.ts';
import { type DeskHome, openDeskHome } from './desk-home.ts';

const FAILS_ONCE = { passesAt: 2, commits: { app: 'x' } };

const attemptsOf = (run: Run, step: string) => run.steps.find(({ name }) => name === step)?.attempts ?? [];

const commitOf = (home: DeskHome, run: Run, step: string, repo: string): string | undefined => {
  const request = attemptRequest(home.database, attemptsOf(run, step).at(-1)?.id ?? '');
  return request?.repos.find(({ name }) => name === repo)?.commit;
};

test('a retried run goes on from where its branch was brought meanwhile, in fresh worktrees, and lands there', async () => {
  await using home = await openDeskHome();
  home.setSteps(FAILS_ONCE);
  await using desk = await home.openDesk();
  const failed = await desk.until(await desk.trigger('work', null), 'failed');
  await writeFile(join(failed.folder ?? '', 'old'), '');
  const pushed = home.push('app', 'by hand');

  await desk.retry(failed.id, undefined);
  const run = await desk.until(failed.id, 'passed', 'failed');

  assert.equal(run.state, 'passed');
  assert.equal(run.landing, 'whole');
  assert.equal(commitOf(home, run, 'step-1', 'app'), pushed);
  assert.equal(attemptsOf(run, 'setup').length, 2);
  assert.equal(home.tip('app', 'work~1'), pushed);
  assert.equal(run.repos[0]?.start, failed.repos[0]?.start, 'the diff of the run is still from where it began');
  assert.equal(home.tip('app', `refs/takt/runs/${run.id}/taken-up`), pushed);
});

test('a retried run whose branch stands still keeps its worktrees', async () => {
  await using home = await openDeskHome();
  home.setSteps(FAILS_ONCE);
  await using desk = await home.openDesk();
  const failed = await desk.until(await desk.trigger('work', null), 'failed');

  await desk.retry(failed.id, undefined);
  const run = await desk.until(failed.id, 'passed', 'failed');

  assert.equal(run.landing, 'whole');
  assert.equal(attemptsOf(run, 'setup').length, 1);
});

test('a retried run whose branch went elsewhere goes on from its own commits, and its work stays beside the branch', async () => {
  await using home = await openDeskHome();
  home.setSteps(FAILS_ONCE);
  home.push('app', 'before');
  await using desk = await home.openDesk();
  await desk.look();
  const failed = await desk.until(home.runs()[0]?.id ?? '', 'failed');
  const rewritten = home.push('app', 'rewritten', { force: true });

  await desk.retry(failed.id, undefined);
  const run = await desk.until(failed.id, 'passed', 'failed');

  assert.equal(run.state, 'passed');
  assert.equal(run.landing, 'part');
  assert.equal(commitOf(home, run, 'step-1', 'app'), failed.repos[0]?.start);
  assert.equal(home.tip('app'), rewritten);
  assert.deepEqual(
    run.pins.map(({ what, repo }) => [what, repo]),
    [
      ['head', 'app'],
      ['head', 'app'],
    ],
  );
});

for (const state of ['gathering', 'running'] as const) {
  test(`a run that is retried while a newer one is ${state} goes after it, on what it landed`, async () => {
    await using home = await openDeskHome();
    home.setSteps(FAILS_ONCE);
    await using desk = await home.openDesk();
    const failed = await desk.until(await desk.trigger('work', null), 'failed');
    const go = join(home.layout.home, 'go');
    home.setSteps({ lines: 1, until: go, commits: { app: 'newer' } });
    home.push('app', 'by hand');
    await desk.look();
    const newer = await desk.until(home.runs()[1]?.id ?? '', state);

    await desk.retry(failed.id, undefined);
    const working = await desk.until(newer.id, 'running');
    const waiting = home.runs()[0];
    await writeFile(go, '');
    const ended = await desk.until(newer.id, 'passed', 'failed');
    const run = await desk.until(failed.id, 'passed', 'failed');

    assert.equal(waiting?.state, 'queued');
    assert.equal(working.state, 'running');
    assert.equal(ended.landing, 'whole');
    assert.equal(run.landing, 'whole');
    assert.equal(commitOf(home, run, 'step-1', 'app'), ended.repos[0]?.landed);
    assert.equal(home.tip('app', 'work~1'), ended.repos[0]?.landed);
  });
}

test('a retried run that waits behind a newer one goes on when that is cancelled, and gives way to a new push', async () => {
  await using home = await openDeskHome();
  home.setSteps(FAILS_ONCE);
  await using desk = await home.openDesk();
  const failed = await desk.until(await desk.trigger('work', null), 'failed');
  home.setSteps({ until: join(home.layout.home, 'never') });
  home.push('app', 'by hand');
  await desk.look();
  const second = await desk.until(home.runs()[1]?.id ?? '', 'running');
  await desk.retry(failed.id, undefined);

  home.push('app', 'once more');
  await desk.look();
  const pushedAway = await desk.until(failed.id, 'superseded', 'passed');
  await desk.until(second.id, 'superseded');
  const third = await desk.until(home.runs()[2]?.id ?? '', 'running');
  await desk.retry(failed.id, undefined);
  await desk.cancel(third.id);
  const run = await desk.until(failed.id, 'passed', 'failed');

  assert.equal(pushedAway.state, 'superseded');
  assert.equal(run.state, 'passed');
  assert.equal(run.landing, 'whole');
});

test('what a retried run takes up from its branch is taken up again where that was cut short', async () => {
  await using home = await openDeskHome();
  home.setSteps(FAILS_ONCE);
  let id = '';
  {
    await using desk = await home.openDesk();
    id = (await desk.until(await desk.trigger('work', null), 'failed')).id;
  }
  const pushed = home.push('app', 'by hand');
  {
    await using desk = await home.openDesk({
      debugPoint: (name) => {
        if (name === 'branches-followed') throw new Error('cut short here');
      },
    });
    await desk.retry(home.runs()[0]!.id, undefined);
    await desk.until(id, 'queued');
  }
  await using desk = await home.openDesk();
  const run = await desk.until(id, 'passed', 'failed');

  assert.equal(run.landing, 'whole');
  assert.equal(home.tip('app', 'work~1'), pushed);
});
