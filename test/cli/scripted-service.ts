import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { operations } from '../../src/contract/operations.ts';

/** What came in for an operation. */
export interface Received {
  readonly operation: string;
  readonly params: Record<string, unknown>;
  readonly query: URLSearchParams;
  readonly accept: string;
  readonly authorization: string | undefined;
}

export type Answer = (received: Received, reply: ServerResponse) => unknown;

export interface ScriptedService extends AsyncDisposable {
  readonly home: string;
  readonly url: string;
  readonly received: Received[];
}

const HOME_ID = 'home_of_the_test';

/**
 * A home whose service answers from a script, over a real socket and over TCP. An answer that returns something is sent
 * as JSON; one that returns nothing has written to the reply itself. Operations without an answer get a fault.
 */
export async function scriptedService(answers: Record<string, Answer>): Promise<ScriptedService> {
  const home = mkdtempSync(join(tmpdir(), 'takt-cli-'));
  mkdirSync(join(home, '.state'));
  writeFileSync(join(home, '.state', 'home.json'), '{"version":1}\n');
  const received: Received[] = [];
  const onRequest = (request: IncomingMessage, reply: ServerResponse): void =>
    void respond(request, reply, answers, received);
  const local = createServer(onRequest).listen(join(home, '.state', 'takt.sock'));
  const remote = createServer(onRequest).listen(0, '127.0.0.1');
  await Promise.all([once(local, 'listening'), once(remote, 'listening')]);
  const { port } = remote.address() as { port: number };
  return {
    home,
    url: `http://127.0.0.1:${port}`,
    received,
    async [Symbol.asyncDispose]() {
      for (const server of [local, remote]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function respond(
  request: IncomingMessage,
  reply: ServerResponse,
  answers: Record<string, Answer>,
  received: Received[],
): Promise<void> {
  const call = await readCall(request);
  received.push(call);
  reply.setHeader('takt-home', HOME_ID);
  const answer = answers[call.operation];
  const said =
    answer === undefined
      ? sendFault(reply, 404, { code: 'INTERNAL', message: `No answer for ${call.operation}.`, hint: '' })
      : await answer(call, reply);
  if (said !== undefined) reply.setHeader('content-type', 'application/json').end(JSON.stringify(said));
}

export function sendFault(
  reply: ServerResponse,
  status: number,
  fault: { code: string; message: string; hint: string; detail?: string },
): void {
  reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ fault }));
}

async function readCall(request: IncomingMessage): Promise<Received> {
  const url = new URL(request.url!, 'http://localhost');
  const found = operations
    .filter(({ http }) => http.method === request.method)
    .map(({ name, http }) => ({
      name,
      match: new RegExp(`^${http.path.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}$`).exec(url.pathname),
    }))
    .find(({ match, name }) => match !== null && name !== 'push.plan');
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk as string;
  const inPath = Object.entries(found?.match?.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]);
  return {
    operation: found?.name ?? `${request.method} ${url.pathname}`,
    params: {
      ...(Object.fromEntries(inPath) as object),
      ...Object.fromEntries(url.searchParams),
      ...(body === '' ? {} : (JSON.parse(body) as object)),
    },
    query: url.searchParams,
    accept: request.headers.accept ?? '',
    authorization: request.headers.authorization,
  };
}
