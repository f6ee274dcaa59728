import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import {
  call,
  giveResult,
  say,
  type ScriptedScenario,
  type ScriptedStep,
  type ScriptedTurn,
} from '../../src/agents/scripted-scenario.ts';
import { LIMIT_MS, openAgentPlace } from './agent-place.ts';

const options = { timeout: LIMIT_MS };
const passed = giveResult({ verdict: 'passed', summary: 'All is done.' });
const look: ScriptedTurn = call('Bash', { command: 'ls', description: 'look' });

const open = (turns: readonly ScriptedTurn[], key?: string): ReturnType<typeof openAgentPlace> =>
  openAgentPlace({
    mode: 'off',
    scenario: { '*': turns } satisfies ScriptedScenario,
    ...(key === undefined ? {} : { key }),
  });

test('an agent that says failed has failed, with its summary as the reason', options, async () => {
  await using place = await open([
    giveResult({
      verdict: 'failed',
      summary: 'Two tests\nfail.',
      findings: [{ severity: 'error', message: 'x', repo: 'lib', file: 'a', line: 3 }],
    }),
  ]);

  const { state, reason, result } = await place.run().ended;

  assert.equal(state, 'failed');
  assert.deepEqual(reason, { class: 'verdict', sentence: 'The agent says that it failed: Two tests fail.' });
  assert.equal(result?.findings[0]?.line, 3);
});

test('an agent that only talks is unverified, however well it says it went', options, async () => {
  await using place = await open([say('All tests pass, everything is done.')]);

  const { state, reason, result } = await place.run().ended;

  assert.deepEqual(
    { state, reason, result },
    {
      state: 'unverified',
      reason: { class: 'no_result', sentence: 'The agent ended without a stage result.' },
      result: null,
    },
  );
});

test('a result that does not fit the schema is refused, and the agent can give it again', options, async () => {
  await using place = await open([call('StructuredOutput', { verdict: 'great', summary: 'x' }), passed]);

  const run = place.run();
  const { state } = await run.ended;

  assert.equal(state, 'passed');
  assert.ok(run.lines.some((line) => line.kind === 'tool_result' && line.isError));
});

test('a refused credential ends the attempt at once', options, async () => {
  await using place = await open([
    { kind: 'error', status: 401, type: 'authentication_error', message: 'invalid x-api-key' },
  ]);

  const { state, reason } = await place.run().ended;

  assert.equal(state, 'failed');
  assert.equal(reason?.class, 'model_access');
  assert.ok(place.model.seen.length <= 2, `${place.model.seen.length} requests`);
});

test('an error of the model is told with its status and words', options, async () => {
  await using place = await open([
    { kind: 'error', status: 404, type: 'not_found_error', message: 'model: no-such-model' },
  ]);

  const { state, reason } = await place.run(place.request({ work: { model: 'no-such-model' } })).ended;

  assert.equal(state, 'failed');
  assert.equal(reason?.class, 'model_error');
  assert.match(reason.sentence, /\(404\): .*no-such-model/);
});

test('an overload that passes is only noted', options, async () => {
  let overloads = 0;
  const overloaded = (): ScriptedStep => {
    overloads += 1;
    return overloads === 1 ? { kind: 'error', status: 529, type: 'overloaded_error' } : passed;
  };
  await using place = await open([overloaded]);

  const run = place.run();
  const { state } = await run.ended;

  assert.equal(state, 'passed');
  assert.ok(
    run.lines.some((line) => line.kind === 'note' && /gave no answer \(529 overloaded\); retry 1 of 8/.test(line.text)),
  );
});

test('a connection that breaks within an answer costs nothing but time', options, async () => {
  let cuts = 0;
  const cut = (): ScriptedStep => {
    cuts += 1;
    return cuts === 1 ? { kind: 'cut', text: 'I begin to' } : passed;
  };
  await using place = await open([cut]);

  const { state } = await place.run().ended;

  assert.equal(state, 'passed');
});

test('an agent that does not come to an end is stopped after its turns', options, async () => {
  await using place = await open([look]);

  const { state, reason, usage } = await place.run(place.request({ work: { maxTurns: 3 } })).ended;

  assert.equal(state, 'failed');
  assert.deepEqual(reason?.class, 'turn_limit');
  assert.ok(usage!.turns >= 3);
});

test('a session that is not there is begun anew', options, async () => {
  await using place = await open([passed]);
  const sessionId = randomUUID();

  const { state, usage } = await place.run(place.request({ work: { resumeSession: randomUUID(), sessionId } })).ended;

  assert.equal(state, 'passed');
  assert.equal(usage?.sessionId, sessionId);
  assert.match(place.model.seen[0]!.request!.text, /# Task/);
});

test('a session whose file is damaged is begun anew under another id', options, async () => {
  await using place = await open([passed]);
  const sessionId = randomUUID();
  const folder = place.runFolder.replaceAll(/[^A-Za-z0-9]/g, '-');
  await place.write(`../../.state/agents/w-1/.claude/projects/${folder}/${sessionId}.jsonl`, 'not a session\n');

  const run = place.run(place.request({ work: { sessionId } }));
  const { state, usage } = await run.ended;

  assert.equal(state, 'passed');
  assert.notEqual(usage?.sessionId, sessionId);
  assert.equal(run.pids.length, 2);
});

test('without a key nothing is started', options, async () => {
  await using place = await open([passed]);
  await rm(place.keyFile);

  const run = place.run();
  const { state, reason, usage } = await run.ended;

  assert.deepEqual({ state, usage, class: reason?.class }, { state: 'failed', usage: null, class: 'model_access' });
  assert.deepEqual(run.pids, []);
});

test('a command line that cannot be started breaks the attempt, in words', options, async () => {
  await using place = await open([passed]);

  const { state, reason } = await place.run(place.request({ work: { sessionId: 'not-a-uuid' } })).ended;

  assert.equal(state, 'broken');
  assert.equal(reason?.class, 'internal');
  assert.match(reason.sentence, /Claude Code ended/);
});

test('with a token of a subscription its limits are noted', options, async () => {
  const resets = {
    'anthropic-ratelimit-unified-reset': '1900000000',
    'anthropic-ratelimit-unified-representative-claim': 'five_hour',
  };
  const rejected: ScriptedStep = {
    kind: 'error',
    status: 429,
    type: 'rate_limit_error',
    headers: { 'anthropic-ratelimit-unified-status': 'rejected', ...resets },
  };
  await using place = await open([rejected], 'sk-ant-oat01-mine');

  const run = place.run();
  const { state, reason } = await run.ended;

  assert.equal(place.model.seen[0]!.headers.authorization, 'Bearer sk-ant-oat01-mine');
  assert.match(String(place.model.seen[0]!.headers['anthropic-beta']), /oauth-2025-04-20/);
  assert.equal(state, 'failed');
  assert.equal(reason?.class, 'model_error');
  assert.ok(
    run.lines.some(
      (line) =>
        line.kind === 'note' && /five-hour limit of the subscription is reached; it resets at 2030/.test(line.text),
    ),
  );
});

test('without walls a push is refused by the guard rail, and the agent goes on', options, async () => {
  await using place = await open([
    call('Bash', { command: 'cd lib && git push /tmp/elsewhere HEAD:main', description: 'push' }),
    passed,
  ]);

  const run = place.run();
  const { state } = await run.ended;

  assert.equal(state, 'passed');
  const [refused] = run.lines.filter((line) => line.kind === 'tool_result');
  assert.match(refused!.text, /The operator lets commits out/);
});

test('without walls files outside of the run are not written by the editing tools', options, async () => {
  await using place = await open([
    call('Write', { file_path: '/tmp/takt-test-outside.txt', content: 'x' }),
    call('Write', { file_path: 'lib/inside.txt', content: 'x' }),
    passed,
  ]);

  const run = place.run();
  await run.ended;

  const results = run.lines.flatMap((line) => (line.kind === 'tool_result' ? [line.isError] : []));
  assert.deepEqual(results.slice(0, 2), [true, false]);
});

test("an operator's proxy is not asked for the way to the gate", options, async () => {
  await using place = await open([passed]);
  const proxy = 'http://127.0.0.1:1';
  const environment = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, http_proxy: proxy, https_proxy: proxy };

  const { state } = await place.run(place.request({ environment })).ended;

  assert.equal(state, 'passed');
});
