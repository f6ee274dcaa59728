import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Fault } from '../../contract/faults.ts';
import type { Operation } from '../../contract/operation.ts';
import { withoutSecrets } from '../../contract/secrets.ts';
import { HOME_HEADER, type JobLine } from '../../contract/service.ts';
import type { Jobs } from '../jobs.ts';
import type { Binding } from './binding.ts';
import { faultOfError } from './fault-reply.ts';
import { type RawParams, readParams } from './read-params.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The operation that the route answers, for the access checks. */
    operation?: Operation;
  }
}

/** What mounted operations share. */
export interface MountParts {
  readonly homeId: string;
  readonly jobs: Jobs;
  /** Ends when the service stops. */
  readonly stopping: AbortSignal;
}

/** A call that is no job has to be over after so long. */
const CALL_LIMIT_MS = 10 * 60_000;

type Handle = (params: unknown, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

/** Answers an operation's route. Parameters and replies are checked: a reply that its schema refuses is a defect. */
export function mount(app: FastifyInstance, binding: Binding, parts: MountParts): void {
  const { operation } = binding;
  const handle = handleOf(binding, parts);
  app.route({
    method: operation.http.method,
    url: operation.http.path,
    config: { operation },
    handler: (request, reply) => handle(readParams(operation.params, rawParams(request)), request, reply),
  });
}

function handleOf(binding: Binding, parts: MountParts): Handle {
  if (binding.kind === 'stream') return (params, request, reply) => sendStream(binding, params, request, reply, parts);
  if (binding.operation.kind !== 'job') return (params, _request, reply) => sendReply(binding, params, reply, parts);
  return (params, request, reply) =>
    String(request.headers.accept).includes('application/x-ndjson')
      ? sendJobLines(binding, params, request, reply, parts)
      : sendJobReply(binding, params, reply, parts);
}

type ReplyBinding = Extract<Binding, { kind: 'reply' }>;

async function sendReply(
  { operation, answer }: ReplyBinding,
  params: unknown,
  reply: FastifyReply,
  { stopping }: MountParts,
): Promise<FastifyReply> {
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(CALL_LIMIT_MS)]);
  const said = await answer(params, { signal, progress: () => undefined });
  return sendJson(reply, checkedReply(operation, said));
}

async function sendJobReply(
  binding: ReplyBinding,
  params: unknown,
  reply: FastifyReply,
  parts: MountParts,
): Promise<FastifyReply> {
  const said = await runJob(binding, params, reply.raw, parts, () => undefined);
  return sendJson(reply, said);
}

async function sendJobLines(
  binding: ReplyBinding,
  params: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  parts: MountParts,
): Promise<void> {
  const raw = openBody(reply, 'application/x-ndjson', parts.homeId);
  const write = (line: JobLine): void => void raw.write(`${JSON.stringify(line)}\n`);
  try {
    const said = await runJob(binding, params, raw, parts, (line) => {
      // Progress that nobody reads is left out; the last line always goes out.
      if (!raw.writableNeedDrain) write(line);
    });
    write({ reply: said });
  } catch (error) {
    write({ fault: faultOfError(error, request.log).report() });
  }
  raw.end();
}

/** Carries a job out; its connection's end cancels it. */
function runJob(
  { operation, answer }: ReplyBinding,
  params: unknown,
  raw: ServerResponse,
  parts: MountParts,
  tell: (line: JobLine) => void,
): Promise<unknown> {
  const title = titleOf(operation, params);
  return parts.jobs.run(
    {
      operation: operation.name,
      title,
      signal: signalOfConnection(raw, `${title} was cancelled: its caller went away.`),
      onProgress: (label, text, percent) => tell({ progress: { label, text, percent } }),
    },
    async (call) => checkedReply(operation, await answer(params, call)),
  );
}

async function sendStream(
  binding: Extract<Binding, { kind: 'stream' }>,
  params: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  parts: MountParts,
): Promise<void> {
  const signal = AbortSignal.any([parts.stopping, signalOfConnection(reply.raw, 'The reader went away.')]);
  const lastEventId = request.headers['last-event-id'];
  const chunks = await binding.answer(params, {
    signal,
    lastEventId: typeof lastEventId === 'string' ? lastEventId : undefined,
  });
  const raw = openBody(reply, binding.contentType, parts.homeId);
  raw.flushHeaders();
  try {
    for await (const chunk of chunks) {
      if (signal.aborted) break;
      // A reader that does not read stops the reading of the store too: nothing piles up here.
      if (!raw.write(chunk)) await once(raw, 'drain', { signal });
    }
  } catch (error) {
    // The status is sent, so a body that breaks off is all that can be said.
    if (!signal.aborted) faultOfError(error, request.log);
    raw.destroy();
    return;
  }
  raw.end();
}

function signalOfConnection(raw: ServerResponse, sentence: string): AbortSignal {
  const controller = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) controller.abort(new Fault('CANCELLED', sentence));
  });
  return controller.signal;
}

function openBody(reply: FastifyReply, contentType: string, homeId: string): ServerResponse {
  reply.hijack();
  reply.raw.writeHead(200, {
    'content-type': contentType,
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    [HOME_HEADER]: homeId,
  });
  return reply.raw;
}

function sendJson(reply: FastifyReply, said: unknown): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(said ?? null));
}

function checkedReply(operation: Operation, said: unknown): unknown {
  const parsed = operation.reply.safeParse(said);
  if (parsed.success) return parsed.data;
  throw new Fault('INTERNAL', `The reply of ${operation.name} is not what it should be.`, { cause: parsed.error });
}

function titleOf(operation: Operation, params: unknown): string {
  const given = operation.command.positionals.map((name) => (params as Record<string, unknown>)[name]);
  const words = [...operation.command.words, ...given.flat().filter((value) => typeof value === 'string')];
  // An address may be among them, and the title is listed.
  return withoutSecrets(words.join(' ')).slice(0, 200);
}

function rawParams(request: FastifyRequest): RawParams {
  return {
    path: request.params as Record<string, string>,
    query: request.query as Record<string, string | string[]>,
    body: request.body,
  };
}
