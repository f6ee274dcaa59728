import { createServer } from 'node:http';
import { chmod, rm } from 'node:fs/promises';
import type { AddressInfo, Socket } from 'node:net';
import fastify, { LogController, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { Fault } from '../../contract/faults.ts';
import { operations } from '../../contract/operations.ts';
import { HOME_HEADER } from '../../contract/service.ts';
import type { LogFile } from '../open-log.ts';
import { portHolder } from '../port-holder.ts';
import { checkContentType, checkOrigin, checkRight, type Identity, type Request } from './access.ts';
import type { Binding } from './binding.ts';
import { answerBrokenRequests } from './broken-request.ts';
import { faultOfError, sendFault } from './fault-reply.ts';
import { mount, type MountParts } from './mount.ts';
import type { OneTimeLinks } from './one-time-links.ts';
import { mountPage } from './page.ts';

export interface ServerParts extends MountParts {
  readonly token: string;
  readonly version: string;
  readonly links: OneTimeLinks;
  readonly bindings: readonly Binding[];
  /** Resolves when the service may answer; requests that come before wait for it. */
  readonly ready: Promise<void>;
}

/** The service's HTTP side. Order of life: `listen` once, then `close` once, which ends open connections too. */
export interface HttpServer {
  /** The loopback port; 0 before `listen`. */
  port(): number;
  /** Listens on the loopback port, then on the socket; Fault PORT_TAKEN names who has the port. Gives the port. */
  listen(at: { port: number; socket: string }): Promise<number>;
  close(): Promise<void>;
}

const BODY_LIMIT_BYTES = 2 * 1024 * 1024;
const PARAM_LIMIT_CHARS = 1000;
/** A request without a host is refused by our own checks: Node's reply would not say of which home it comes. */
const SERVER_OPTIONS = { requireHostHeader: false } as const;

/** The empty server, whose log all of the service writes to. */
export function createApp(log: LogFile): FastifyInstance {
  return fastify({
    logger: { level: 'info', stream: log },
    // Only what goes wrong is logged: a page that looks on would fill the log.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    return503OnClosing: false,
    http: SERVER_OPTIONS,
    // An address that cannot be decoded meets no route, no check and no other handler.
    frameworkErrors: (error, request, reply) => void sendFault(reply as FastifyReply, faultOfError(error, request.log)),
    routerOptions: { maxParamLength: PARAM_LIMIT_CHARS },
  });
}

export function createHttpServer(app: FastifyInstance, parts: ServerParts): HttpServer {
  const local = new WeakSet<Socket>();
  const identity = { homeId: parts.homeId, token: parts.token, port: 0 };
  // What comes over the Unix socket is answered by the same routes.
  const localServer = createServer(SERVER_OPTIONS, (request, response) => app.routing(request, response));
  localServer.on('connection', (socket) => local.add(socket));
  for (const server of [app.server, localServer]) answerBrokenRequests(server, parts.homeId);

  readJsonBodies(app);
  checkEveryRequest(app, identity, parts, (request) => requestOf(request, local));
  for (const binding of parts.bindings) mount(app, binding, parts);
  mountOpenApi(app, parts.version);
  mountPage(app, parts);

  return {
    port: () => identity.port,
    async listen({ port, socket }) {
      identity.port = await listenOnPort(app, port);
      await rm(socket, { force: true });
      await new Promise<void>((resolve, reject) => {
        localServer.once('error', reject);
        localServer.listen(socket, resolve);
      });
      await chmod(socket, 0o600);
      return identity.port;
    },
    async close() {
      const closed = new Promise((resolve) => localServer.close(resolve));
      localServer.closeAllConnections();
      await Promise.all([closed, app.close()]);
    },
  };
}

/** A body that is marked as JSON and empty is no body. */
function readJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parse(request, body as string, done);
  });
}

function checkEveryRequest(
  app: FastifyInstance,
  identity: Identity,
  parts: ServerParts,
  read: (request: FastifyRequest) => Request,
): void {
  app.addHook('onRequest', async (fastifyRequest, reply) => {
    void reply.header(HOME_HEADER, parts.homeId);
    if (parts.stopping.aborted) throw new Fault('SERVICE_UNREACHABLE', 'The service is stopping.');
    const request = read(fastifyRequest);
    checkOrigin(request, identity);
    // Whoever holds a one-time link has no other right yet.
    if (fastifyRequest.routeOptions.url === '/open') return;
    checkContentType(request);
    const { operation } = fastifyRequest.routeOptions.config;
    checkRight(request, identity, { who: operation?.who ?? 'anyone', method: request.method });
    await parts.ready;
  });
  app.setErrorHandler((error, request, reply) => sendFault(reply, faultOfError(error, request.log)));
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]!.slice(0, 200);
    return sendFault(
      reply,
      new Fault('COMMAND_UNKNOWN', `Nothing answers ${request.method} ${path}.`, {
        hint: 'GET /api/openapi.json lists what there is.',
      }),
    );
  });
}

function requestOf(request: FastifyRequest, local: WeakSet<Socket>): Request {
  const { socket } = request.raw;
  return { method: request.method, headers: request.headers, socket, isLocal: local.has(socket) };
}

function mountOpenApi(app: FastifyInstance, version: string): void {
  app.get('/api/openapi.json', async (_request, reply) => {
    // Asked for seldom, so what makes it is loaded then.
    const { openApi } = await import('./openapi.ts');
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(openApi(operations, version)));
  });
}

async function listenOnPort(app: FastifyInstance, port: number): Promise<number> {
  try {
    await app.listen({ port, host: '127.0.0.1' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new Fault('PORT_TAKEN', `Port ${port} is taken by ${portHolder(port)}.`, { cause: error });
    if (code === 'EACCES')
      throw new Fault('PORT_TAKEN', `Port ${port} may not be opened by this user.`, {
        hint: 'Set TAKT_PORT to a port above 1023.',
        cause: error,
      });
    throw error;
  }
  return (app.server.address() as AddressInfo).port;
}
