import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import type { Attempt, Run, RunStep } from '../../src/contract/run.ts';
import { changesBetween } from '../../src/cli/print/run-changes.ts';
import { styleFor } from '../../src/cli/styles.ts';
import { scriptedService, type ScriptedService } from './scripted-service.ts';
import { takt } from './takt-process.ts';

const page = { width: null, style: styleFor(false), nowMs: 0 };

function attempt(number: number, state: Attempt['state'], sentence?: string): Attempt {
  const reason = sentence === undefined ? null : { class: 'exit_code' as const, sentence };
  const about = {
    id: `att_${number}` as Attempt['id'],
    step: 'test' as Attempt['step'],
    number,
    state,
    reason,
    startedAtMs: 0,
  };
  return {
    ...about,
    endedAtMs: state === 'running' ? null : 12_000,
    exitCode: null,
    result: null,
    usage: null,
    confinement: null,
    outputBytes: 0,
    repos: [],
    resumeCommand: null,
  };
}

function step(name: string, state: RunStep['state'], ...attempts: Attempt[]): RunStep {
  return { name: name as RunStep['name'], kind: 'command', title: `npm run ${name}`, state, attempts };
}

function runWith(state: Run['state'], ...steps: RunStep[]): Run {
  const facts = {
    id: 'run_0123456789abcdef' as Run['id'],
    workspace: 'feature' as Run['workspace'],
    number: 4,
    state,
    trigger: 'manual' as const,
  };
  const times = { queuedAtMs: 0, startedAtMs: 0, endedAtMs: state === 'running' ? null : 72_000 };
  const rest = {
    currentStep: null,
    reason: null,
    costUsd: 0,
    repos: [],
    pipeline: { steps: [] },
    note: null,
    folder: null,
    lastLines: [],
    pins: [],
    supersededBy: null,
  };
  return { ...facts, ...times, ...rest, landing: 'none', steps };
}

const moments: Run[] = [
  runWith(
    'running',
    step('setup', 'passed', attempt(1, 'passed')),
    step('test', 'running', attempt(1, 'running')),
    step('review', 'waiting'),
  ),
  runWith(
    'running',
    step('setup', 'passed', attempt(1, 'passed')),
    step('test', 'running', attempt(1, 'failed', 'Exit code 1.'), attempt(2, 'running')),
    step('review', 'waiting'),
  ),
  runWith(
    'passed',
    step('setup', 'passed', attempt(1, 'passed')),
    step('test', 'passed', attempt(1, 'failed', 'Exit code 1.'), attempt(2, 'passed')),
    step('review', 'skipped'),
  ),
];

const told = [
  'feature/4 running\n✓ setup passed, 12 s\n▸ test npm run test\n',
  '✗ test attempt 1 failed: Exit code 1.\n',
  '✓ test passed, 12 s\n- review skipped\n✓ feature/4 passed after 1 min 12 s\n',
];

test('a watcher is told each change once', () => {
  const lines = moments.map((run, at) => changesBetween(moments[at - 1], run, page));

  assert.deepEqual(lines, told);
  assert.equal(changesBetween(moments[1], moments[1]!, page), '');
  assert.equal(changesBetween(undefined, moments[2]!, page).split('attempt 1').length, 2);
});

/** A service whose run goes one moment further with each event, and which breaks the stream off after each. */
function serviceWith(states: readonly Run[]): Promise<ScriptedService> {
  let at = 0;
  return scriptedService({
    'workspace.trigger': () => ({ run: states[0]!.id, number: 4, workspace: 'feature' }),
    'run.show': () => states[at],
    'event.stream'(_: unknown, reply: ServerResponse) {
      reply.writeHead(200).flushHeaders();
      if (at < states.length - 1) at += 1;
      reply.write(`id: e-${at}\nevent: step.update\ndata: {"run":"${states[0]!.id}"}\n\n`, () => reply.end());
    },
  });
}

test('--wait follows a run over broken connections to its end, and its exit code is the run’s', async () => {
  const cases: [Run['state'], number][] = [
    ['passed', 0],
    ['failed', 1],
    ['cancelled', 1],
    ['superseded', 1],
    ['waiting', 3],
  ];
  for (const [state, exitCode] of cases) {
    await using service = await serviceWith([moments[0]!, runWith(state)]);

    const { code, stdout } = await takt(['workspace', 'trigger', 'feature', '--wait'], {
      env: { TAKT_HOME: service.home },
    });

    assert.equal(code, exitCode, state);
    assert.match(stdout, new RegExp(state === 'waiting' ? 'waits for you' : `feature/4 ${state}`));
  }
});

test('--wait sends nothing of itself to the service and with --json prints the run as it ended', async () => {
  await using service = await serviceWith([runWith('passed')]);

  const { stdout } = await takt(['workspace', 'trigger', 'feature', '--wait', '--json'], {
    env: { TAKT_HOME: service.home },
  });

  assert.equal((JSON.parse(stdout) as Run).state, 'passed');
  assert.deepEqual(service.received[0]!.params, { workspace: 'feature' });
});

test(
  '--wait ends where the run was over before the stream began, though the stream goes on',
  { timeout: 20_000 },
  async () => {
    await using service = await scriptedService({
      'workspace.trigger': () => ({ run: moments[0]!.id, number: 4, workspace: 'feature' }),
      'run.show': () => runWith('waiting'),
      'event.stream'(_: unknown, reply: ServerResponse) {
        reply.writeHead(200).write('retry: 1000\n\n');
      },
    });

    const { code } = await takt(['workspace', 'trigger', 'feature', '--wait'], { env: { TAKT_HOME: service.home } });

    assert.equal(code, 3);
  },
);
