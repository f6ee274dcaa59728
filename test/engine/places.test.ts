import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { stepsAtOnce } from '../../src/service/runs/places.ts';
import { portBase } from '../../src/service/runs/port-slots.ts';
import { setSeenRef } from '../../src/store/seen-refs.ts';
import { insertWorkspace, setPipeline, workspaceOf } from '../../src/store/workspaces.ts';
import { openDeskHome } from './desk-home.ts';

const GIB = 1024 ** 3;

test('steps at once are as set, else the least of cores, free memory and four, and at least one', () => {
  assert.equal(stepsAtOnce({ steps_at_once: 9 }, { cores: 2, freeBytes: 0 }), 9);
  assert.equal(stepsAtOnce({}, { cores: 2, freeBytes: 32 * GIB }), 2);
  assert.equal(stepsAtOnce({}, { cores: 64, freeBytes: 3.9 * GIB }), 3);
  assert.equal(stepsAtOnce({}, { cores: 64, freeBytes: 64 * GIB }), 4);
  assert.equal(stepsAtOnce({}, { cores: 64, freeBytes: GIB / 2 }), 1);
});

test('runs at work have ports of their own, and give them back', () => {
  const desk = { portSlots: new Map<never, number>() };
  const [first, second, third] = ['run_1', 'run_2', 'run_3'] as never[];

  assert.deepEqual([portBase(desk, first!), portBase(desk, second!), portBase(desk, first!)], [20_000, 20_020, 20_000]);
  desk.portSlots.delete(first!);
  assert.equal(portBase(desk, third!), 20_000);
});

test('one place goes to the run that was queued first, and a workspace does not wait for another’s approval', async () => {
  await using home = await openDeskHome();
  home.settings = { steps_at_once: 1 };
  const go = join(home.layout.home, 'go');
  for (const name of ['early', 'late']) {
    insertWorkspace(home.database, { name, base: 'main', createdAtMs: 0, repos: [{ repo: 'app', role: 'edit' }] });
    home.git('app', 'update-ref', `refs/heads/${name}`, 'refs/heads/main');
    setSeenRef(home.database, 'app', name, home.tip('app', 'main'));
  }
  home.setSteps({ lines: 1, until: go }, { kind: 'approve' });
  for (const name of ['early', 'late']) setPipeline(home.database, name, workspaceOf(home.database, 'work').pipeline);
  await using desk = await home.openDesk();

  const working = await desk.trigger('work', null);
  await desk.until(working, 'running');
  const early = await desk.trigger('early', null);
  await desk.until(early, 'queued');
  const late = await desk.trigger('late', null);
  await desk.until(late, 'queued');
  await writeFile(go, '');
  const runs = await Promise.all([working, early, late].map((run) => desk.until(run, 'waiting')));

  const spans = runs.flatMap((run) => run.steps.flatMap((step) => step.attempts));
  for (const [index, attempt] of spans.entries()) {
    const before = spans[index - 1];
    if (before !== undefined) assert.ok(attempt.startedAtMs >= before.endedAtMs!, 'one after the other, in order');
  }
});
