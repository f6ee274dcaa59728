import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Loose, openService, type TestService } from './open-service.ts';
import { until } from '../driver/until.ts';

interface Line {
  readonly step: string;
  readonly attempt: string;
  readonly offset: number;
  readonly line: { readonly kind: string; readonly text: string };
}

const stdout = (lines: readonly Line[], step: string): string =>
  lines
    .filter((line) => line.step === step && line.line.kind === 'stdout')
    .map(({ line }) => line.text)
    .join('');
const parse = (text: string): Line[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);

/** A workspace whose pipeline runs these commands, confined to nothing. */
async function withPipeline(...commands: string[]): Promise<TestService> {
  const opened = await openService();
  await opened.ask('/api/settings/confinement', { method: 'PUT', body: { value: 'off' } });
  await opened.addRepo('app');
  await opened.ask('/api/workspaces', { method: 'POST', body: { workspace: 'task', repos: ['app'] } });
  const set = await opened.ask('/api/workspaces/task/pipeline', {
    method: 'PUT',
    body: { steps: commands.map((command) => `run:${command}`) },
  });
  assert.equal(set.status, 200, set.text);
  return opened;
}

async function trigger(opened: TestService): Promise<string> {
  const reply = await opened.ask('/api/workspaces/task/runs', { method: 'POST', body: {} });
  assert.equal(reply.status, 200, reply.text);
  return reply.body.run;
}

const ended = (opened: TestService): Promise<Loose> =>
  until(
    'the end of the run',
    async () => {
      const { body } = await opened.ask('/api/runs/task');
      return ['passed', 'failed', 'cancelled'].includes(body.state) ? body : undefined;
    },
    30_000,
  );

test('output is followed from before the first byte to the end of the run', async () => {
  const gate = await mkdtemp(join(tmpdir(), 'takt-test-'));
  await using opened = await withPipeline(
    `echo begin; while ! [ -e ${gate}/go ]; do sleep 0.05; done; echo end`,
    'echo second',
  );
  const run = await trigger(opened);
  const outgoing = request({
    socketPath: opened.service.address.socket,
    path: `/api/runs/${run}/logs?follow=true`,
    agent: false,
  }).end();
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const lines: Line[] = [];

  for await (const text of createInterface({ input: incoming })) {
    lines.push(JSON.parse(text));
    if (lines.some(({ line }) => line.kind === 'stdout' && line.text.includes('begin')))
      await writeFile(join(gate, 'go'), '');
  }
  const { state, steps } = await ended(opened);

  await rm(gate, { recursive: true });
  assert.equal(state, 'passed', JSON.stringify(steps));
  assert.equal(new Set(lines.filter(({ line }) => line.kind === 'stdout').map(({ step }) => step)).size, 2);
  assert.match(stdout(lines, steps[1].name), /^begin\nend\n$/);
  assert.equal(stdout(lines, steps[2].name), 'second\n');
});

test('an offset goes on exactly where a reader left, within one attempt', async () => {
  await using opened = await withPipeline('seq 1 20000');
  await trigger(opened);
  await ended(opened);
  const whole = parse((await opened.ask('/api/runs/task/logs')).text);
  const step = whole.at(-1)!.step;
  const own = whole.filter((line) => line.step === step);
  const half = own[Math.floor(own.length / 2)]!;

  const rest = parse((await opened.ask(`/api/runs/task/logs?attempt=${half.attempt}&after=${half.offset}`)).text);
  const stepOnly = parse((await opened.ask(`/api/runs/task/logs?step=${step}`)).text);

  assert.deepEqual(rest, own.slice(own.indexOf(half) + 1));
  assert.deepEqual(stepOnly, own);
  assert.equal(stdout(own, step), Array.from({ length: 20_000 }, (_, index) => `${index + 1}\n`).join(''));
});

test('a run, step or attempt that is not there is a fault', async () => {
  await using opened = await withPipeline('true');
  await trigger(opened);
  const code = async (path: string): Promise<string> => (await opened.ask(path)).body?.fault?.code;

  assert.equal(await code('/api/runs/nobody/logs'), 'RUN_NOT_FOUND');
  assert.equal(await code('/api/runs/task/logs?step=nope'), 'STEP_NOT_FOUND');
  assert.equal(await code('/api/runs/task/logs?attempt=att_0'), 'STEP_NOT_FOUND');
  assert.equal(await code('/api/runs/task/logs?after=5'), 'INPUT_INVALID');
  await ended(opened);
});

test('a workspace cannot go while its run is under way', async () => {
  await using opened = await withPipeline('sleep 60');
  const run = await trigger(opened);
  await until(
    'the run to run',
    async () => ((await opened.ask(`/api/runs/${run}`)).body.state === 'running' ? true : undefined),
    30_000,
  );

  const busy = await opened.ask('/api/workspaces/task?force=true', { method: 'DELETE' });
  await opened.ask(`/api/runs/${run}/cancel`, { method: 'POST', body: {} });
  await ended(opened);
  const gone = await opened.ask('/api/workspaces/task?force=true', { method: 'DELETE' });

  assert.deepEqual([busy.body.fault.code, busy.body.fault.message], ['WORKSPACE_BUSY', 'Run 1 of task is running.']);
  assert.equal(gone.status, 200, gone.text);
});
