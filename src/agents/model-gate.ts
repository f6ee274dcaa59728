import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import {
  Agent as HttpAgent,
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { readCredential, type Credential, type ModelAccess } from './model-access.ts';

/** The way out to the model for the work of one attempt. */
export interface ModelGate extends AsyncDisposable {
  /** Base address for the work: loopback, so it is of use on this machine only. */
  readonly url: string;
  /** What the work sends as its key. It opens this gate and nothing else, and only while the gate stands. */
  readonly placeholder: string;
}

/** Says to the API that a Bearer token is that of a subscription. */
const OAUTH_BETA = 'oauth-2025-04-20';

/** Unused connections to the model are closed after this time, before servers usually close them. */
const IDLE_CONNECTION_MS = 15_000;

/**
 * Connections of the work stay open between its requests: closing one while the next request is on its way would fail
 * that.
 */
const WORK_CONNECTION_MS = 3_600_000;

/** Belong to one connection only (RFC 9110, section 7.6.1), or are the gate's own to set. */
const NOT_FORWARDED = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'x-api-key',
  'authorization',
  'cookie',
  'set-cookie',
]);

/** Methods and paths that lead on; a model's name may have slashes where the model is not Anthropic's. */
const OPEN_PATHS = /^(POST \/v1\/messages(\/count_tokens)?|GET \/v1\/models(\/.+)?|HEAD \/)$/;

/**
 * Opens a reverse proxy on 127.0.0.1 that takes requests with the placeholder, puts the real credential in its place
 * and sends them on to the model's address: the asking of the model and what is known of models, and HEAD of /. All else
 * that the operator's credential opens there, such as files and the answers to batches, stays closed. Bodies stream in
 * both directions as they come, and whoever hangs up ends both sides. `onNote` gets sentences for the attempt's output, each once.
 */
export async function openModelGate(options: {
  access: ModelAccess;
  environment: Readonly<Record<string, string | undefined>>;
  onNote: (sentence: string) => void;
}): Promise<ModelGate> {
  const placeholder = `takt-${randomBytes(24).toString('hex')}`;
  const target = new URL(options.access.baseUrl);
  const agent = agentFor(target, options.environment);
  const noted = new Set<string>();
  const note = (sentence: string): void => {
    if (noted.has(sentence)) return;
    noted.add(sentence);
    options.onNote(sentence);
  };
  const server = createServer((request, response) => {
    const path = forwardedPath(request, target);
    if (!presents(request.headers, placeholder))
      return refuse(response, 401, 'authentication_error', 'This gate of takt is not for you.');
    if (path === undefined)
      return refuse(response, 403, 'permission_error', 'This gate of takt leads to the model only.');
    const found = readCredential(options.access, options.environment);
    if ('missing' in found) {
      note(found.missing);
      return refuse(response, 401, 'authentication_error', found.missing);
    }
    forward({ request, response, target, path, agent, credential: found.credential, note });
  });
  // Claude Code waits as long as the model thinks; the attempt has limits of its own.
  server.requestTimeout = 0;
  server.keepAliveTimeout = WORK_CONNECTION_MS;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    placeholder,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}

/** An operator's proxy is used as other programs use it, but never for a model on this machine. */
function agentFor(target: URL, environment: Readonly<Record<string, string | undefined>>): HttpAgent {
  const proxy = isLoopback(target) ? {} : { proxyEnv: environment as NodeJS.ProcessEnv };
  const options = { keepAlive: true, timeout: IDLE_CONNECTION_MS, ...proxy };
  return target.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options);
}

const isLoopback = (url: URL): boolean => ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);

/**
 * Path and query at the target, or undefined if the request is for something else. Dots, doubled slashes and the like
 * are resolved first.
 */
function forwardedPath(request: IncomingMessage, target: URL): string | undefined {
  const prefix = target.pathname.replace(/\/+$/, '');
  if (request.url?.startsWith('/') !== true) return undefined;
  const url = URL.parse(`${target.origin}${prefix}${request.url}`);
  if (url === null || url.origin !== target.origin) return undefined;
  const asked = `${request.method} ${url.pathname.slice(prefix.length)}`;
  return url.pathname.startsWith(prefix) && OPEN_PATHS.test(asked) ? url.pathname + url.search : undefined;
}

function presents(headers: IncomingHttpHeaders, placeholder: string): boolean {
  const presented = headers['x-api-key'] ?? headers.authorization?.replace(/^Bearer /i, '');
  if (typeof presented !== 'string') return false;
  const [given, wanted] = [Buffer.from(presented), Buffer.from(placeholder)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function forward(p: {
  request: IncomingMessage;
  response: ServerResponse;
  target: URL;
  path: string;
  agent: HttpAgent;
  credential: Credential;
  note: (sentence: string) => void;
}): void {
  const { request, response, target } = p;
  const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
  const onward = send({
    agent: p.agent,
    hostname: target.hostname.replace(/^\[|\]$/g, ''),
    port: target.port,
    method: request.method,
    path: p.path,
    headers: headersWith(request.headers, p.credential, target),
  });
  onward.on('response', (reply) => {
    response.writeHead(reply.statusCode ?? 502, withoutOwn(reply.headers));
    // The head of a stream has to arrive before its first event.
    response.flushHeaders();
    reply.on('error', () => response.destroy());
    reply.pipe(response);
  });
  onward.on('error', (error: NodeJS.ErrnoException) => {
    if (response.headersSent || response.destroyed) return void response.destroy();
    p.note(`The model at ${target.origin} was not reached (${error.code ?? error.name}).`);
    refuse(response, 502, 'api_error', `The model at ${target.origin} was not reached (${error.code ?? error.name}).`);
  });
  // `close` without an end means that the other side hung up, and the model need not go on.
  response.on('close', () => onward.destroy());
  request.on('error', () => onward.destroy());
  request.pipe(onward);
}

/**
 * What Claude Code said, with the credential in place of the placeholder. Only a model on this machine learns which
 * step asks.
 */
function headersWith(headers: IncomingHttpHeaders, credential: Credential, target: URL): OutgoingHttpHeaders {
  const forwarded = Object.entries(withoutOwn(headers)).filter(
    ([name]) => isLoopback(target) || !name.startsWith('x-takt-'),
  );
  const kept = { ...Object.fromEntries(forwarded), host: target.host };
  switch (credential.kind) {
    case 'apiKey':
      return { ...kept, 'x-api-key': credential.secret };
    case 'bearer':
      return { ...kept, authorization: `Bearer ${credential.secret}` };
    case 'oauth':
      return {
        ...kept,
        authorization: `Bearer ${credential.secret}`,
        'anthropic-beta': withOauthBeta(headers['anthropic-beta']),
      };
  }
}

function withOauthBeta(betas: string | string[] | undefined): string {
  const named = [betas ?? []]
    .flat()
    .flatMap((list) => list.split(','))
    .map((beta) => beta.trim())
    .filter((beta) => beta !== '');
  return [...new Set([...named, OAUTH_BETA])].join(',');
}

/** Also leaves out what `Connection` names, as the RFC asks of a proxy. */
function withoutOwn(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const named = new Set((headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_FORWARDED.has(name) && !named.has(name)));
}

function refuse(response: ServerResponse, status: number, type: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ type: 'error', error: { type, message } }));
}
