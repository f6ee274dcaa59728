import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SDKMessage } from '@anthropic-ai/claude-agent-sdk';
import { outputLines, TOOL_TEXT_LIMIT_CHARS } from '../../src/agents/output-lines.ts';

/** Messages have many fields that are of no interest here. */
const message = (fields: object): SDKMessage => fields as SDKMessage;
const linesOf = (fields: object): unknown[] => outputLines(message(fields), 5);

test('texts, thoughts and calls of an answer become lines in their order', () => {
  const content = [
    { type: 'thinking', thinking: 'hm', signature: 's' },
    { type: 'text', text: 'I look.' },
    { type: 'tool_use', id: 't1', name: 'Bash', input: { command: 'ls' } },
    { type: 'redacted_thinking', data: 'x' },
    { type: 'text', text: '' },
  ];

  assert.deepEqual(linesOf({ type: 'assistant', message: { content } }), [
    { kind: 'thinking', atMs: 5, text: 'hm' },
    { kind: 'text', atMs: 5, text: 'I look.' },
    { kind: 'tool_call', atMs: 5, id: 't1', tool: 'Bash', input: { command: 'ls' } },
  ]);
});

test('results of tools become lines, and what is not text is named', () => {
  const content = [
    { type: 'tool_result', tool_use_id: 't1', content: 'no such file', is_error: true },
    {
      type: 'tool_result',
      tool_use_id: 't2',
      content: [
        { type: 'text', text: 'a' },
        { type: 'image', source: {} },
      ],
    },
    { type: 'text', text: 'synthetic' },
  ];

  assert.deepEqual(linesOf({ type: 'user', message: { content } }), [
    { kind: 'tool_result', atMs: 5, id: 't1', isError: true, text: 'no such file' },
    { kind: 'tool_result', atMs: 5, id: 't2', isError: false, text: 'a\n(image)' },
  ]);
});

test('long results and long inputs are cut, and the cut says how much is missing', () => {
  const long = `${'a'.repeat(TOOL_TEXT_LIMIT_CHARS - 1)}😀${'b'.repeat(10)}`;

  const [result] = outputLines(
    message({ type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: 't', content: long }] } }),
    5,
  );
  const [call] = outputLines(
    message({
      type: 'assistant',
      message: { content: [{ type: 'tool_use', id: 't', name: 'Write', input: { edits: [{ text: long }] } }] },
    }),
    5,
  );

  assert.ok(result?.kind === 'tool_result' && call?.kind === 'tool_call');
  assert.match(result.text, /a\n\[cut by takt: 12 more characters\]$/);
  assert.equal((call.input as { edits: { text: string }[] }).edits[0]!.text, result.text);
});

test('retries, limits and changes of the model are notes', () => {
  const notes = [
    ...linesOf({
      type: 'system',
      subtype: 'api_retry',
      attempt: 2,
      max_retries: 8,
      retry_delay_ms: 1230,
      error_status: 529,
      error: 'overloaded',
    }),
    ...linesOf({
      type: 'rate_limit_event',
      rate_limit_info: { status: 'rejected', rateLimitType: 'five_hour', resetsAt: 1_800_000_000 },
    }),
    ...linesOf({ type: 'rate_limit_event', rate_limit_info: { status: 'allowed' } }),
    ...linesOf({ type: 'system', subtype: 'model_fallback' }),
    ...linesOf({ type: 'system', subtype: 'compact_boundary', compact_metadata: { trigger: 'auto', pre_tokens: 9 } }),
  ];

  assert.deepEqual(notes, [
    { kind: 'note', atMs: 5, text: 'The model gave no answer (529 overloaded); retry 2 of 8 in 1.2 s.' },
    {
      kind: 'note',
      atMs: 5,
      text: 'The five-hour limit of the subscription is reached; it resets at 2027-01-15T08:00:00.000Z.',
    },
    { kind: 'note', atMs: 5, text: 'The model did not answer this; Claude Code went on as its fallback says.' },
    { kind: 'note', atMs: 5, text: 'The conversation was shortened; it had 9 tokens.' },
  ]);
});

test('kinds of messages that nobody has heard of are passed over', () => {
  assert.deepEqual(
    [
      ...linesOf({ type: 'brand_new' }),
      ...linesOf({ type: 'system', subtype: 'brand_new' }),
      ...linesOf({ type: 'stream_event', event: {} }),
    ],
    [],
  );
});
