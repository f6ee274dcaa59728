import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { call, giveResult, type ScriptedScenario } from '../../src/agents/scripted-scenario.ts';
import { type ScriptedModel, startScriptedModel } from '../../src/agents/scripted-model.ts';
import type { Run } from '../../src/contract/run.ts';
import { openHousehold, type Household } from '../driver/household.ts';
import { until } from '../driver/until.ts';

/** Edits a file, then takes its time, then edits another, commits both and says so. */
const scenario: ScriptedScenario = {
  implement: [
    call('Bash', { command: 'echo first > app/first.txt' }, 'first edit'),
    call('Bash', { command: 'for i in $(seq 1 40); do echo tick $i; [ -e app/go ] && break; sleep 0.1; done' }),
    // A resumed conversation holds an answer more than it would have, so that the place is told by what was done.
    ({ text }) =>
      text.includes('second edit')
        ? giveResult({ verdict: 'passed', summary: 'Both files are there.' })
        : call(
            'Bash',
            { command: 'echo second > app/second.txt && git -C app add -A && git -C app commit -qm "both edits"' },
            'second edit',
          ),
  ],
};

async function withAgent(): Promise<Household & { model: ScriptedModel }> {
  const model = await startScriptedModel({ scenario });
  const household = await openHousehold({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'scripted' });
  await household.ok('repo', 'add', 'app', await household.upstream('app', { 'file.txt': 'text\n' }));
  await household.ok('workspace', 'create', 'task', 'app');
  await household.ok('workspace', 'pipeline-set', 'task', 'implement');
  return Object.assign(household, { model });
}

const runOf = (household: Household): Promise<Run> => household.json<Run>('run', 'show', 'task');
const agentAttempts = (run: Run): Run['steps'][number]['attempts'] =>
  run.steps.find(({ kind }) => kind === 'agent')!.attempts;

async function inTheMiddle(household: Household): Promise<void> {
  await household.ok('workspace', 'trigger', 'task');
  await until(
    'the first edit',
    async () => ((await household.takt('run', 'logs', 'task')).stdout.includes('first edit') ? true : undefined),
    60_000,
  );
  await until(
    'the file of the first edit',
    async () =>
      (await readFile(join(household.home, 'runs', 'task-1', 'app', 'first.txt'), 'utf8').catch(() => undefined)) ??
      undefined,
  );
}

async function ended(household: Household): Promise<Run> {
  return until(
    'the run to end',
    async () => {
      const run = await runOf(household);
      return ['passed', 'failed'].includes(run.state) ? run : undefined;
    },
    90_000,
  );
}

test('kill -9 of the service amid an agent step: after the restart the same attempt goes on, its output whole', async () => {
  const household = await withAgent();
  try {
    const pid = await household.servicePid();
    await inTheMiddle(household);

    process.kill(pid, 'SIGKILL');
    await until('the service to be gone', async () =>
      (await household.takt('service', 'status')).code === 69 ? true : undefined,
    );
    await household.ok('service', 'start');
    const run = await ended(household);

    assert.equal(run.state, 'passed', JSON.stringify(run.reason));
    assert.deepEqual(
      agentAttempts(run).map(({ state }) => state),
      ['passed'],
    );
    const logs = await household.ok('run', 'logs', 'task');
    for (const text of ['first edit', 'second edit'])
      assert.equal(logs.split(text).length - 1, 1, `${text} once in\n${logs}`);
    assert.equal(await household.git(household.root('app'), 'show', 'refs/heads/task:second.txt'), 'second');
  } finally {
    await household[Symbol.asyncDispose]();
    await household.model[Symbol.asyncDispose]();
  }
});

test('kill -9 of a step host: the agent resumes its session, and nothing is lost', async () => {
  const household = await withAgent();
  try {
    await inTheMiddle(household);

    const spool = join(household.home, '.state', 'spool', 'attempts');
    const hosts = await Promise.all(
      (await readdir(spool)).map(
        async (name) => JSON.parse(await readFile(join(spool, name, 'host.json'), 'utf8')) as { pid: number },
      ),
    );
    assert.equal(hosts.length, 1);
    process.kill(hosts[0]!.pid, 'SIGKILL');
    const run = await ended(household);

    assert.equal(run.state, 'passed', JSON.stringify(run.reason));
    const attempts = agentAttempts(run);
    assert.deepEqual(
      attempts.map(({ state }) => state),
      ['interrupted', 'passed'],
    );
    const sessions = household.model.seen.flatMap(({ request }) =>
      request?.step === 'implement' ? [request.sessionId] : [],
    );
    assert.deepEqual([...new Set(sessions)], [attempts[1]!.usage?.sessionId], 'one session, before and after');
    for (const file of ['first', 'second'])
      assert.equal(await household.git(household.root('app'), 'show', `refs/heads/task:${file}.txt`), file);
  } finally {
    await household[Symbol.asyncDispose]();
    await household.model[Symbol.asyncDispose]();
  }
});
