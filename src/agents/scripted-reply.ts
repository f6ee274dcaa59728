import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { pause } from '../platform/wait.ts';
import type { ScriptedAnswer, ScriptedStep, ScriptedUsage } from './scripted-scenario.ts';

/** The name under which the stand-in answers, whatever model was asked for. */
export const SCRIPTED_MODEL_NAME = 'takt-scripted-model';

/** In every reply of the stand-in, so that nobody takes it for a model. */
const STAND_IN = { 'takt-scripted-model': 'stand-in; every answer comes from a script' };

const PIECE_CHARS = 24;

type Block =
  | { readonly type: 'thinking'; readonly thinking: string }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; readonly input: unknown };

/** Sends JSON as the Messages API does. */
export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'request-id': idOf('req'),
    ...STAND_IN,
    ...headers,
  });
  response.end(JSON.stringify(value));
}

/** Sends an error as the Messages API words it. */
export function sendError(
  response: ServerResponse,
  status: number,
  type: string,
  message: string,
  headers?: Readonly<Record<string, string>>,
): void {
  sendJson(response, status, { type: 'error', error: { type, message } }, headers);
}

/**
 * Plays one step of a script as the reply to a request. Resolves when nothing more will be said; `signal` ends slow
 * answers.
 */
export async function playStep(
  response: ServerResponse,
  step: ScriptedStep,
  options: { isStream: boolean; signal: AbortSignal },
): Promise<void> {
  switch (step.kind) {
    case 'error':
      return sendError(
        response,
        step.status,
        step.type ?? 'api_error',
        step.message ?? `scripted error ${step.status}`,
        step.headers,
      );
    case 'hang':
      return;
    case 'stall':
    case 'cut': {
      if (!options.isStream) return void (step.kind === 'cut' && response.destroy());
      beginStream(response, {});
      const send = eventSender(response);
      send('message_start', { message: messageOf(usageOf({})) });
      await sendBlock(send, 0, { type: 'text', text: step.text }, 0, options.signal);
      if (step.kind === 'stall') return;
      // What was said before the connection breaks is to arrive.
      await new Promise((resolve) => response.write(': cut\n\n', resolve));
      response.destroy();
      return;
    }
    case 'answer':
      if (options.isStream) return streamAnswer(response, step, options.signal);
      return sendJson(
        response,
        200,
        { ...messageOf(usageOf(step.usage)), content: blocksOf(step), stop_reason: stopReasonOf(step) },
        step.headers,
      );
  }
}

async function streamAnswer(response: ServerResponse, answer: ScriptedAnswer, signal: AbortSignal): Promise<void> {
  beginStream(response, answer.headers ?? {});
  const send = eventSender(response);
  const usage = usageOf(answer.usage);
  send('message_start', { message: messageOf({ ...usage, output_tokens: 1 }) });
  for (const [index, block] of blocksOf(answer).entries()) {
    await sendBlock(send, index, block, answer.chunkDelayMs ?? 0, signal);
    send('content_block_stop', { index });
  }
  send('message_delta', { delta: { stop_reason: stopReasonOf(answer), stop_sequence: null }, usage });
  send('message_stop', {});
  response.end();
}

type SendEvent = (type: string, fields: Readonly<Record<string, unknown>>) => void;

/** Starts a block and sends what it holds; the caller stops it, or does not. */
async function sendBlock(
  send: SendEvent,
  index: number,
  block: Block,
  delayMs: number,
  signal: AbortSignal,
): Promise<void> {
  const piece = async (delta: Readonly<Record<string, string>>): Promise<void> => {
    if (delayMs > 0) await pause(delayMs, signal);
    send('content_block_delta', { index, delta });
  };
  switch (block.type) {
    case 'text':
      send('content_block_start', { index, content_block: { type: 'text', text: '' } });
      for (const text of piecesOf(block.text)) await piece({ type: 'text_delta', text });
      return;
    case 'thinking':
      send('content_block_start', { index, content_block: { type: 'thinking', thinking: '', signature: '' } });
      for (const thinking of piecesOf(block.thinking)) await piece({ type: 'thinking_delta', thinking });
      return piece({ type: 'signature_delta', signature: 'scripted' });
    case 'tool_use':
      send('content_block_start', {
        index,
        content_block: { type: 'tool_use', id: block.id, name: block.name, input: {} },
      });
      return piece({ type: 'input_json_delta', partial_json: JSON.stringify(block.input) });
  }
}

const piecesOf = (text: string): string[] => text.match(new RegExp(`[\\s\\S]{1,${PIECE_CHARS}}`, 'g')) ?? [''];

function beginStream(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    'request-id': idOf('req'),
    ...STAND_IN,
    ...headers,
  });
}

function eventSender(response: ServerResponse): SendEvent {
  return (type, fields) => {
    if (!response.destroyed) response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
  };
}

function blocksOf(answer: ScriptedAnswer): Block[] {
  return [
    ...(answer.thinking === undefined ? [] : [{ type: 'thinking' as const, thinking: answer.thinking }]),
    ...(answer.text === undefined ? [] : [{ type: 'text' as const, text: answer.text }]),
    ...(answer.calls ?? []).map(({ tool, input }) => ({
      type: 'tool_use' as const,
      id: idOf('toolu'),
      name: tool,
      input,
    })),
  ];
}

const stopReasonOf = (answer: ScriptedAnswer): string => ((answer.calls ?? []).length > 0 ? 'tool_use' : 'end_turn');

const usageOf = (given: Partial<ScriptedUsage> = {}): ScriptedUsage => ({
  input_tokens: 100,
  output_tokens: 20,
  cache_read_input_tokens: 0,
  cache_creation_input_tokens: 0,
  ...given,
});

function messageOf(usage: ScriptedUsage): Record<string, unknown> {
  return {
    id: idOf('msg'),
    type: 'message',
    role: 'assistant',
    model: SCRIPTED_MODEL_NAME,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
  };
}

const idOf = (prefix: string): string => `${prefix}_${randomUUID().replaceAll('-', '').slice(0, 24)}`;
