import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { playStep, sendError, sendJson } from './scripted-reply.ts';
import { readBody, scriptedRequestOf } from './scripted-request.ts';
import { say, stepFor, type ScriptedRequest, type ScriptedScenario, type ScriptedStep } from './scripted-scenario.ts';

/** Requests that were answered, as `seen` keeps them: the newest, up to this many. */
const SEEN_LIMIT = 1_000;

/** One request as it arrived; `request` is undefined for those that no script answers. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly request: ScriptedRequest | undefined;
  readonly step: ScriptedStep | undefined;
}

export interface ScriptedModel extends AsyncDisposable {
  /** Base address, as ANTHROPIC_BASE_URL takes it. */
  readonly url: string;
  /** The newest requests, oldest first. */
  readonly seen: readonly SeenRequest[];
  /** The first request, past or to come, that fits; rejects with the signal's reason. */
  nextRequest(fits: (seen: SeenRequest) => boolean, signal: AbortSignal): Promise<SeenRequest>;
}

/**
 * A stand-in for the Messages API on 127.0.0.1, for the offline demo and for tests: its answers come from a scenario.
 * It says so in a header of every reply and in the name of the model that answers. Disposing cuts what is open, and may
 * happen twice.
 */
export async function startScriptedModel({
  scenario,
  port = 0,
}: {
  scenario: ScriptedScenario;
  port?: number;
}): Promise<ScriptedModel> {
  const seen: SeenRequest[] = [];
  const arrivals = new EventTarget();
  const record = (entry: SeenRequest): void => {
    seen.push(entry);
    if (seen.length > SEEN_LIMIT) seen.shift();
    arrivals.dispatchEvent(new Event('request'));
  };
  const server = createServer((request, response) => {
    answer(scenario, request, response, record).catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : undefined),
    );
  });
  await listen(server, port);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async nextRequest(fits, signal) {
      for (;;) {
        const found = seen.find(fits);
        if (found !== undefined) return found;
        signal.throwIfAborted();
        await once(arrivals, 'request', { signal });
      }
    },
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  scenario: ScriptedScenario,
  request: IncomingMessage,
  response: ServerResponse,
  record: (entry: SeenRequest) => void,
): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://scripted').pathname;
  const bytes = await readBody(request);
  const facts = { method: request.method ?? '', path, headers: request.headers };
  if (path !== '/v1/messages' || request.method !== 'POST') {
    record({ ...facts, request: undefined, step: undefined });
    return answerOther(request.method, path, response);
  }
  const scripted = bytes === undefined ? undefined : scriptedRequestOf(request.headers, bytes.toString('utf8'));
  if (scripted === undefined) {
    record({ ...facts, request: undefined, step: undefined });
    return sendError(response, 400, 'invalid_request_error', 'This is not a request of the Messages API.');
  }
  // Helper requests, such as those for a title, carry no tools and are no part of the script.
  const step = scripted.body.tools.length === 0 ? say('A scripted model has no opinion.') : stepFor(scenario, scripted);
  record({ ...facts, request: scripted, step });
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  try {
    await playStep(response, step, { isStream: scripted.body.stream, signal: gone.signal });
  } catch (error) {
    // Whoever asked has gone, and nobody is left to answer.
    if (!gone.signal.aborted) throw error;
  }
}

function answerOther(method: string | undefined, path: string, response: ServerResponse): void {
  if (method === 'HEAD') {
    response.writeHead(200, { 'takt-scripted-model': 'stand-in' });
    response.end();
    return;
  }
  if (path === '/v1/messages/count_tokens') return sendJson(response, 200, { input_tokens: 10 });
  sendError(response, 404, 'not_found_error', `A scripted model has nothing at ${path}.`);
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}
