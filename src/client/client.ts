import { Fault, faultFromReport } from '../contract/faults.ts';
import type { Operation } from '../contract/operation.ts';
import { linesOf } from './lines.ts';
import { requestOf } from './request-of.ts';
import { serverSentEvents, type ServerSentEvent } from './server-sent-events.ts';
import type { Transport, TransportReply } from './transport.ts';

/**
 * What a call needs of an operation: a declared one carries the types of its params and reply, and a row of the table
 * of commands does without. The schemas are not run here: the service checks both.
 */
export type Callable<Params, Reply> = Pick<Operation, 'name' | 'http'> &
  Partial<Pick<Operation<Params, Reply>, 'params' | 'reply'>>;

export interface JobProgress {
  readonly label: string;
  readonly text: string;
  readonly percent: number | null;
}

interface CallOptions {
  readonly signal: AbortSignal;
}

/**
 * Calls the service. Every method throws the service's own fault, SERVICE_UNREACHABLE, HOME_OTHER, or the signal's
 * reason.
 */
export interface Client {
  call<Params, Reply>(operation: Callable<Params, Reply>, params: Params, options: CallOptions): Promise<Reply>;
  /** A job's progress is told as it comes; ending the signal cancels the job. */
  job<Params, Reply>(
    operation: Callable<Params, Reply>,
    params: Params,
    options: CallOptions & { onProgress(progress: JobProgress): void },
  ): Promise<Reply>;
  /** The values of a body with one JSON value a line. */
  stream<Params>(
    operation: Callable<Params, unknown>,
    params: Params,
    options: CallOptions,
  ): AsyncGenerator<unknown, void, undefined>;
  /** The frames of an event stream. The first is `open`, without data: nothing that happens after it is missed. */
  events<Params>(
    operation: Callable<Params, unknown>,
    params: Params,
    options: CallOptions,
  ): AsyncGenerator<ServerSentEvent, void, undefined>;
}

/** `expectedHome` is the id of the home that has to answer; null takes any. */
export function createClient(
  transport: Transport,
  { expectedHome = null }: { expectedHome?: string | null } = {},
): Client {
  const send = async (
    operation: Pick<Operation, 'http'>,
    params: unknown,
    accept: string,
    signal: AbortSignal,
  ): Promise<TransportReply> => {
    const refused = new AbortController();
    const asked = { accept, signal: AbortSignal.any([signal, refused.signal]), expectedHome };
    try {
      return await sendChecked(transport, operation, params as Record<string, unknown>, asked);
    } catch (error) {
      // A body that nobody is going to read would keep its connection open, and this process alive.
      refused.abort();
      throw error;
    }
  };
  return {
    async call(operation, params, { signal }) {
      const reply = await send(operation, params, 'application/json', signal);
      return JSON.parse(await textOf(reply, signal)) as never;
    },
    async job(operation, params, { signal, onProgress }) {
      const reply = await send(operation, params, 'application/x-ndjson', signal);
      return (await jobReply(readLines(reply, signal), onProgress)) as never;
    },
    async *stream(operation, params, { signal }) {
      yield* readLines(await send(operation, params, 'application/x-ndjson', signal), signal);
    },
    async *events(operation, params, { signal }) {
      // Whoever leaves off at the first frame has not begun to read, and yet the connection has to end.
      const over = new AbortController();
      try {
        const ended = AbortSignal.any([signal, over.signal]);
        const reply = await send(operation, params, 'text/event-stream', ended);
        yield { id: undefined, event: 'open', data: '' };
        yield* serverSentEvents(bodyOf(reply, signal));
      } finally {
        over.abort();
      }
    },
  };
}

async function sendChecked(
  transport: Transport,
  operation: Pick<Operation, 'http'>,
  params: Record<string, unknown>,
  { accept, signal, expectedHome }: { accept: string; signal: AbortSignal; expectedHome: string | null },
): Promise<TransportReply> {
  const { method, path, body } = requestOf(operation.http, params);
  const headers = { accept, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  let reply: TransportReply;
  try {
    reply = await transport.send({ method, path, headers, body, signal });
  } catch (error) {
    signal.throwIfAborted();
    // A transport that knows better what is wrong says so itself.
    if (error instanceof Fault) throw error;
    throw new Fault('SERVICE_UNREACHABLE', 'The service does not answer.', { cause: error });
  }
  const home = reply.header(HOME_HEADER);
  if (expectedHome !== null && home !== undefined && home !== expectedHome) {
    throw new Fault('HOME_OTHER', 'The service that answers belongs to another home.');
  }
  if (reply.status < 200 || reply.status > 299) throw faultOf(reply.status, await textOf(reply, signal));
  return reply;
}

/** As in contract/service.ts, which loads the schemas and so is not imported here. */
const HOME_HEADER = 'takt-home';

function faultOf(status: number, text: string): Fault {
  try {
    const { fault } = JSON.parse(text) as { fault?: { code: string; message: string } };
    if (typeof fault?.message === 'string') return faultFromReport(fault);
  } catch (error) {
    // Not JSON: something else than the service answered, and its words are all there is to show.
    if (!(error instanceof SyntaxError)) throw error;
  }
  return new Fault('INTERNAL', `The service answered with status ${status} and no fault.`, {
    detail: text.slice(0, 2000),
  });
}

/** A body that breaks off means that the service went away. */
async function* bodyOf(reply: TransportReply, signal: AbortSignal): AsyncGenerator<string, void, undefined> {
  try {
    yield* reply.body;
  } catch (error) {
    signal.throwIfAborted();
    throw new Fault('SERVICE_UNREACHABLE', 'The connection to the service broke off.', { cause: error });
  }
}

async function textOf(reply: TransportReply, signal: AbortSignal): Promise<string> {
  let text = '';
  for await (const chunk of bodyOf(reply, signal)) text += chunk;
  return text;
}

async function* readLines(reply: TransportReply, signal: AbortSignal): AsyncGenerator<unknown, void, undefined> {
  for await (const line of linesOf(bodyOf(reply, signal))) {
    if (line !== '') yield JSON.parse(line) as unknown;
  }
}

async function jobReply(lines: AsyncIterable<unknown>, onProgress: (progress: JobProgress) => void): Promise<unknown> {
  for await (const line of lines as AsyncIterable<Record<string, unknown>>) {
    if ('progress' in line) onProgress(line['progress'] as JobProgress);
    if ('reply' in line) return line['reply'];
    if ('fault' in line) throw faultFromReport(line['fault'] as { code: string; message: string });
  }
  throw new Fault('SERVICE_UNREACHABLE', 'The connection to the service broke off before the job ended.');
}
