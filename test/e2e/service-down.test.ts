import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import type { RunSummary } from '../../src/contract/run.ts';
import { openHousehold, type Household } from '../driver/household.ts';
import { until } from '../driver/until.ts';

async function oneRepo(steps: string[]): Promise<Household> {
  const household = await openHousehold();
  await household.ok('repo', 'add', 'app', await household.upstream('app', { 'file.txt': 'text\n' }));
  await household.ok('workspace', 'create', 'task', 'app');
  await household.ok('workspace', 'pipeline-set', 'task', ...steps);
  return household;
}

async function pushChange(household: Household, text: string): Promise<void> {
  const clone = household.clone('task', 'app');
  await writeFile(join(clone, 'change.txt'), text);
  await household.git(clone, 'add', '-A');
  await household.git(clone, 'commit', '-q', '-m', text);
  await household.git(clone, 'push', '-q');
}

const runsOf = async (household: Household): Promise<RunSummary[]> =>
  (await household.json<{ runs: RunSummary[] }>('run', 'list')).runs;

test('a push while the service is down is a run after its next start, once', async () => {
  await using household = await oneRepo(['run:true']);
  await household.ok('service', 'stop');

  await pushChange(household, 'pushed in the dark');
  await household.ok('service', 'start');
  await until('the run to pass', async () => ((await runsOf(household))[0]?.state === 'passed' ? true : undefined));
  await household.ok('service', 'restart');

  assert.deepEqual(
    (await runsOf(household)).map(({ number, state, trigger }) => ({ number, state, trigger })),
    [{ number: 1, state: 'passed', trigger: 'push' }],
  );
});

test('kill -9 of the service amid a step: the same attempt goes on after the restart, its output whole', async () => {
  await using household = await oneRepo(['run:for i in $(seq 1 60); do echo line $i; sleep 0.1; done']);
  const pid = await household.servicePid();
  await pushChange(household, 'long step');
  await until('the step to print', async () =>
    (await household.takt('run', 'logs', 'task')).stdout.includes('line 5') ? true : undefined,
  );

  process.kill(pid, 'SIGKILL');
  await until('the service to be gone', async () =>
    (await household.takt('service', 'status')).code === 69 ? true : undefined,
  );
  await household.ok('service', 'start');
  await until(
    'the run to pass',
    async () => ((await runsOf(household))[0]?.state === 'passed' ? true : undefined),
    60_000,
  );

  const run = await household.json<{ steps: { kind: string; attempts: unknown[] }[] }>('run', 'show', 'task');
  assert.equal(run.steps.find(({ kind }) => kind === 'command')?.attempts.length, 1);
  const logs = await household.ok('run', 'logs', 'task');
  const lines = [...logs.matchAll(/^.*\bline (\d+)$/gm)].map(([, number]) => Number(number));
  assert.deepEqual(
    lines,
    Array.from({ length: 60 }, (_, index) => index + 1),
  );
});

test('a run cancelled in mid-edit: its uncommitted work is found by what `run show` prints', async () => {
  await using household = await oneRepo(['run:echo half-done > edited.txt; echo edited; sleep 600']);
  await household.ok('workspace', 'trigger', 'task');
  await until('the edit', async () =>
    /^edited$/m.test((await household.takt('run', 'logs', 'task')).stdout) ? true : undefined,
  );

  await household.ok('run', 'cancel', 'task');
  await until(
    'the run to be cancelled',
    async () => ((await runsOf(household))[0]?.state === 'cancelled' ? true : undefined),
    10_000,
  );

  const shown = await household.ok('run', 'show', 'task');
  const ref = /refs\/takt\/\S+\/leftover/.exec(shown)?.[0];
  assert.ok(ref, shown);
  assert.equal(await household.git(household.root('app'), 'show', `${ref}:edited.txt`), 'half-done');
});
