import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startScriptedModel } from '../../src/agents/scripted-model.ts';
import { call, giveResult, say, type ScriptedScenario } from '../../src/agents/scripted-scenario.ts';

const LIMIT_MS = 10_000;
const tools = [{ name: 'Bash' }];

function ask(url: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/v1/messages?beta=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'sonnet', tools, messages: [{ role: 'user', content: 'go' }], ...body }),
    signal: AbortSignal.timeout(LIMIT_MS),
  });
}

interface Answer {
  model: string;
  stop_reason: string;
  content: { type: string; text?: string; name?: string; input?: unknown }[];
}

async function answerText(
  url: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<string | undefined> {
  const answer = (await (await ask(url, body, headers)).json()) as Answer;
  return answer.content[0]?.text;
}

/** The data of the events in a stream of the Messages API. */
function eventsIn(text: string): { type: string; delta?: { text?: string; partial_json?: string } }[] {
  return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as { type: string });
}

test('an answer streams as the Messages API does, and says in header and name that it is scripted', async () => {
  await using model = await startScriptedModel({
    scenario: { '*': [call('Bash', { command: 'ls' }, 'I look around in this folder first.')] },
  });

  const response = await ask(model.url, { stream: true });
  const events = eventsIn(await response.text());

  assert.match(response.headers.get('content-type') ?? '', /event-stream/);
  assert.match(response.headers.get('takt-scripted-model') ?? '', /stand-in/);
  const texts = events.map(({ delta }) => delta?.text ?? '').join('');
  assert.equal(texts, 'I look around in this folder first.');
  assert.deepEqual(JSON.parse(events.map(({ delta }) => delta?.partial_json ?? '').join('')), { command: 'ls' });
  assert.equal(events[0]!.type, 'message_start');
  assert.equal(events.at(-1)!.type, 'message_stop');
  assert.match(JSON.stringify(events[0]), /"model":"takt-scripted-model"/);
});

test('a request without streaming gets the same answer as one piece', async () => {
  await using model = await startScriptedModel({
    scenario: { '*': [giveResult({ verdict: 'passed', summary: 'done' })] },
  });

  const answer = (await (await ask(model.url, {})).json()) as Answer;

  assert.equal(answer.stop_reason, 'tool_use');
  assert.deepEqual(
    answer.content.map(({ name, input }) => ({ name, input })),
    [{ name: 'StructuredOutput', input: { verdict: 'passed', summary: 'done' } }],
  );
});

test('workspace and step choose the script, and the answers so far choose the line, so that a retry gets the same again', async () => {
  const scenario: ScriptedScenario = {
    'w/plan': [say('w plans')],
    plan: [say('first'), say('second')],
    '*': [say('anybody')],
  };
  await using model = await startScriptedModel({ scenario });
  const step = { 'x-takt-step': 'plan' };
  const later = {
    messages: [
      { role: 'user', content: 'go' },
      { role: 'assistant', content: 'first' },
      { role: 'user', content: 'on' },
    ],
  };

  const texts = [
    await answerText(model.url, {}, { ...step, 'x-takt-workspace': 'w' }),
    await answerText(model.url, {}, step),
    await answerText(model.url, {}, step),
    await answerText(model.url, later, step),
    await answerText(model.url, {}, { 'x-takt-step': 'other' }),
  ];

  assert.deepEqual(texts, ['w plans', 'first', 'first', 'second', 'anybody']);
});

test('a line of a script can look at the results of its calls', async () => {
  await using model = await startScriptedModel({
    scenario: { '*': [({ toolResults }) => say(toolResults.map(({ text, isError }) => `${text}/${isError}`).join())] },
  });
  const result = {
    type: 'tool_result',
    tool_use_id: 't',
    content: [{ type: 'text', text: 'no such file' }],
    is_error: true,
  };

  const text = await answerText(model.url, { messages: [{ role: 'user', content: [result] }] });

  assert.equal(text, 'no such file/true');
});

test('helper requests, counting and greetings are answered beside the script', async () => {
  await using model = await startScriptedModel({ scenario: { '*': [say('scripted line')] } });

  const helper = await answerText(model.url, { tools: [] });
  const counted = await fetch(`${model.url}/v1/messages/count_tokens`, { method: 'POST', body: '{}' });
  const greeting = await fetch(model.url, { method: 'HEAD' });
  const elsewhere = await fetch(`${model.url}/v1/files`);

  assert.notEqual(helper, 'scripted line');
  assert.deepEqual(await counted.json(), { input_tokens: 10 });
  assert.equal(greeting.status, 200);
  assert.equal(elsewhere.status, 404);
});

test('what is not a request of the Messages API gets an error', async () => {
  await using model = await startScriptedModel({ scenario: {} });

  const response = await fetch(`${model.url}/v1/messages`, { method: 'POST', body: '{"model": 1' });

  assert.equal(response.status, 400);
});

test('errors, cuts and stalls are as a broken service would have them', async () => {
  const scenario: ScriptedScenario = {
    error: [{ kind: 'error', status: 529, type: 'overloaded_error', headers: { 'retry-after': '7' } }],
    cut: [{ kind: 'cut', text: 'half an' }],
    stall: [{ kind: 'stall', text: 'half an' }],
  };
  await using model = await startScriptedModel({ scenario });

  const error = await ask(model.url, {}, { 'x-takt-step': 'error' });
  const cut = await ask(model.url, { stream: true }, { 'x-takt-step': 'cut' });
  const stall = await ask(model.url, { stream: true }, { 'x-takt-step': 'stall' });

  assert.equal(error.status, 529);
  assert.equal(error.headers.get('retry-after'), '7');
  await assert.rejects(cut.text());
  const reader = stall.body!.getReader();
  assert.match(new TextDecoder().decode((await reader.read()).value), /message_start/);
  await reader.cancel();
});

test('a request that hangs is seen, and ends when the model is stopped', async () => {
  await using model = await startScriptedModel({ scenario: { '*': [{ kind: 'hang' }] } });

  const asked = ask(model.url, { stream: true }, { 'x-takt-step': 'build' });
  const seen = await model.nextRequest(({ request }) => request?.step === 'build', AbortSignal.timeout(LIMIT_MS));
  await model[Symbol.asyncDispose]();

  assert.equal(seen.step?.kind, 'hang');
  await assert.rejects(asked);
});
