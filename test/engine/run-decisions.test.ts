import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { upstreamHead } from '../../src/store/upstream-heads.ts';
import { openDeskHome } from './desk-home.ts';

const states = (run: { steps: { state: string }[] }): string[] => run.steps.map((step) => step.state);

test('an approval is for the commits shown, and the push after it sends exactly those', async () => {
  await using home = await openDeskHome();
  home.setSteps({ commits: { app: 'x' } }, { kind: 'approve' }, { kind: 'script', script: 'push_to_github' });
  await using desk = await home.openDesk();
  const id = await desk.trigger('work', null);
  const waiting = await desk.until(id, 'waiting');
  const head = waiting.repos[0]!.head;

  assert.deepEqual(states(waiting), ['passed', 'passed', 'asking', 'waiting']);
  assert.throws(() => desk.approve(id, { commits: { app: waiting.repos[0]!.start } }), { code: 'COMMITS_CHANGED' });
  desk.approve(id, { commits: { app: head }, note: 'good' });
  const run = await desk.until(id, 'passed', 'failed');

  assert.equal(run.state, 'passed', JSON.stringify(run.reason));
  assert.equal(upstreamHead(home.database, 'app', 'work'), head);
  assert.equal(upstreamHead(home.database, 'lib', 'work'), null, 'nothing to send');
});

test('commits that were made after the approval are not pushed', async () => {
  await using home = await openDeskHome();
  const push = { kind: 'script', script: 'push_to_github' };
  home.setSteps({ commits: { app: 'x' } }, { kind: 'approve' }, { commits: { app: 'y' } }, push);
  await using desk = await home.openDesk();
  const id = await desk.trigger('work', null);
  await desk.until(id, 'waiting');

  desk.approve(id, {});
  const run = await desk.until(id, 'passed', 'failed');

  assert.equal(run.state, 'failed');
  assert.match(run.reason?.sentence ?? '', /not those that were approved/);
  assert.equal(upstreamHead(home.database, 'app', 'work'), null);
});

for (const [script, state] of [
  ['merge_upstream', 'passed'],
  ['push_to_github', 'failed'],
] as const) {
  test(`work that did not land, and was not approved: ${script} has ${state}`, async () => {
    await using home = await openDeskHome();
    const go = join(home.layout.home, 'go');
    home.setSteps({ kind: 'approve' }, { lines: 1, until: go, commits: { app: 'x' } }, { kind: 'script', script });
    await using desk = await home.openDesk();
    const id = await desk.trigger('work', null);
    await desk.until(id, 'waiting');
    desk.approve(id, {});
    await desk.until(id, 'running');
    home.push('app', 'meanwhile');
    await writeFile(go, '');

    const run = await desk.until(id, 'passed', 'failed');

    assert.equal(run.state, state, JSON.stringify(run.reason));
    assert.equal(run.landing, 'part');
  });
}

test('a run that waits for an approval gives up the slot, and can be rejected', async () => {
  await using home = await openDeskHome();
  home.setSteps({ kind: 'approve' });
  await using desk = await home.openDesk();

  const first = await desk.trigger('work', null);
  await desk.until(first, 'waiting');
  const second = await desk.trigger('work', null);
  await desk.until(second, 'waiting');
  desk.reject(first, 'not this way');

  const run = home.runs()[0]!;
  assert.equal(run.state, 'rejected');
  assert.deepEqual(states(run), ['passed', 'failed']);
  assert.match(run.reason?.sentence ?? '', /not this way/);
  assert.throws(() => desk.approve(first, {}), { code: 'RUN_STATE' });
});

test('what cannot work is refused by hand, and said of a push', async () => {
  await using home = await openDeskHome();
  await using desk = await home.openDesk();

  await assert.rejects(desk.trigger('work', null), { code: 'PIPELINE_MISSING' });
  await assert.rejects(desk.trigger('nothing', null), { code: 'WORKSPACE_NOT_FOUND' });
  home.setSteps({ kind: 'agent', role: 'review' });
  await assert.rejects(desk.trigger('work', null), { code: 'MODEL_ACCESS_MISSING' });
  home.setSteps({ kind: 'command', run: '{}', confinement: 'strict' });
  await assert.rejects(desk.trigger('work', null), { code: 'CONFINEMENT_MISSING' });
  assert.equal(home.runs().length, 0);
  home.setSteps({ kind: 'agent', role: 'review' });
  home.push('app', 'second');
  await desk.look();
  const run = await desk.until(home.runs()[0]!.id, 'failed');
  assert.equal(run.reason?.class, 'model_access');
});

test('a retry from an earlier step works in fresh worktrees and keeps what has landed', async () => {
  await using home = await openDeskHome();
  home.setSteps({ commits: { app: 'x' } }, { passesAt: 2 });
  await using desk = await home.openDesk();
  const id = await desk.trigger('work', null);
  const failed = await desk.until(id, 'failed');
  await writeFile(join(failed.folder!, 'old'), '');

  await assert.rejects(desk.retry(id, 'nothing'), { code: 'STEP_NOT_FOUND' });
  await desk.retry(id, 'step-1');
  const run = await desk.until(id, 'passed', 'failed');

  assert.equal(run.state, 'passed');
  assert.deepEqual(
    run.steps.map((step) => step.attempts.length),
    [2, 2, 2],
  );
  assert.equal(home.git('app', 'log', '--format=%s', 'work').split('\n')[0], 'step-1 2');
  assert.equal(home.git('app', 'log', '--format=%s', 'work').split('\n')[1], 'step-1 1');
  await assert.rejects(desk.retry(id, undefined), { code: 'RUN_STATE' });
});

test('a push that nobody has noticed yet is a run, although a merge moved the branch on', async () => {
  await using home = await openDeskHome();
  home.settings = { on_new_push: 'finish' };
  const go = join(home.layout.home, 'go');
  home.setSteps({ lines: 1, commits: { app: 'x' }, until: go });
  await using desk = await home.openDesk();
  const id = await desk.trigger('work', null);
  await desk.until(id, 'running');
  const pushed = home.push('app', 'unnoticed');
  await writeFile(go, '');
  await desk.until(id, 'passed');

  const landed = await desk.land(id);

  assert.equal(landed[0]?.how, 'merge');
  assert.equal(home.git('app', 'merge-base', '--is-ancestor', pushed, 'work'), '');
  const newer = await desk.until(home.runs()[1]!.id, 'passed');
  assert.equal(newer.repos[0]?.start, landed[0]?.to);
});
