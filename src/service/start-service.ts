import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openConfig } from '../config/config-source.ts';
import { checkHome, makeHomeFolders } from '../config/init-home.ts';
import { probeConfinement } from '../confinement/probe.ts';
import { clearDeadWatches } from '../git/contact.ts';
import { createReplyCache, type ReplyCache } from '../github/conditional-api.ts';
import { homeLayout } from '../platform/home-layout.ts';
import { metaValue, openDatabase } from '../store/database.ts';
import { allBindings } from './bindings.ts';
import { createEventBus } from './event-bus.ts';
import { settleHalfMade } from './half-made.ts';
import { lockHome } from './home-lock.ts';
import { createOneTimeLinks } from './http/one-time-links.ts';
import { createApp, createHttpServer, type HttpServer } from './http/server.ts';
import { startIntervalFetch } from './interval-fetch.ts';
import { createJobs, type Jobs } from './jobs.ts';
import { startKeepingEvents } from './keep-events.ts';
import { createKeyedLock } from './keyed-lock.ts';
import { openLog } from './open-log.ts';
import type { ServiceFacts } from './operations/service/service-status.ts';
import { commit, type RepoWatch, type ServiceParts } from './parts.ts';
import { watchPulls } from './pulls/watch-pulls.ts';
import { removeServiceFile, writeServiceFile } from './service-file.ts';
import { type Background, emptyBackground, startRuns } from './start-runs.ts';
import { operatorToken } from './token.ts';
import { unitOfProcess } from './unit-of-process.ts';

export interface ServiceOptions {
  readonly home: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** File that the log goes to. */
  readonly log: string;
}

/** A service at work. */
export interface RunningService {
  readonly address: { readonly url: string; readonly port: number; readonly socket: string };
  /** Resolves when it has stopped, whoever asked for it. */
  readonly ended: Promise<void>;
  /** Ends it within two seconds; steps that run go on. May be called twice. */
  stop(): Promise<void>;
}

const JOBS_LIMIT_MS = 1_000;

/**
 * Starts the service of a home: lock, store, addresses, and only then what goes on by itself. Nothing stays open if it
 * fails. Faults: HOME_MISSING, HOME_NEWER, SERVICE_LOCKED, PORT_TAKEN.
 */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  await using opened = new AsyncDisposableStack();
  const stopping = new AbortController();
  opened.defer(() => stopping.abort());
  const ready = Promise.withResolvers<void>();
  // A start that fails is thrown to whoever starts; requests that wait for it are told the same.
  ready.promise.catch(() => undefined);
  const stopAsked = Promise.withResolvers<void>();

  const background = emptyBackground();
  const parts = await openParts(options, background, opened);
  const jobs = createJobs(parts);
  const pullCache = createReplyCache();
  const confinement = once(() => probeConfinement({ signal: stopping.signal }));
  const server = await openServer(parts, {
    jobs,
    background,
    pullCache,
    confinement,
    stopping: stopping.signal,
    ready: ready.promise,
    requestStop: stopAsked.resolve,
  });
  opened.defer(() => server.close());
  const port = await server.listen({ port: options.port, socket: parts.layout.socket });
  try {
    await settleHalfMade(parts);
    opened.use(await startRuns(parts, { background, confinement }));
  } catch (error) {
    ready.reject(error);
    throw error;
  }
  await clearDeadWatches();
  opened.defer(startIntervalFetch(parts, stopping.signal));
  opened.defer(watchPulls(parts, { cache: pullCache, stopping: stopping.signal }));
  opened.defer(startKeepingEvents(parts));
  await writeServiceFile(parts.layout, {
    pid: process.pid,
    port,
    startedAtMs: Date.now(),
    homeId: metaValue(parts.database, 'home_id'),
    version: await versionOfTakt(),
  });
  opened.defer(() => removeServiceFile(parts.layout));
  commit(parts, [{ topic: 'service.update', data: { change: 'started', pid: process.pid } }], () => undefined);
  ready.resolve();

  const ended = Promise.withResolvers<void>();
  const stop = stopperOf(opened.move(), { jobs, stopping, ended });
  void stopAsked.promise.then(stop);
  return {
    address: { port, url: `http://127.0.0.1:${port}`, socket: parts.layout.socket },
    ended: ended.promise,
    stop,
  };
}

/** What lies below all operations. Whatever is opened is closed by the stack, the last first. */
async function openParts(
  { home, log: logFile }: ServiceOptions,
  background: Background,
  opened: AsyncDisposableStack,
): Promise<ServiceParts> {
  const layout = homeLayout(home);
  await checkHome(layout);
  await makeHomeFolders(layout);
  const lock = await lockHome(layout);
  opened.defer(() => lock.release());
  const file = openLog(logFile);
  opened.defer(() => file.close());
  const database = openDatabase(layout.database);
  opened.defer(() => database.close());
  const app = createApp(file);
  const watching: RepoWatch = {
    repoAdded: (repo) => background.watching.repoAdded(repo),
    repoRemoved: (repo) => background.watching.repoRemoved(repo),
  };
  return {
    layout,
    database,
    config: openConfig(layout),
    bus: createEventBus(),
    locks: createKeyedLock(),
    app,
    log: app.log,
    watching,
  };
}

interface ServerNeeds {
  readonly jobs: Jobs;
  readonly background: Background;
  readonly pullCache: ReplyCache;
  readonly confinement: ServiceFacts['confinement'];
  readonly stopping: AbortSignal;
  readonly ready: Promise<void>;
  readonly requestStop: () => void;
}

async function openServer(
  parts: ServiceParts,
  { jobs, background, pullCache, confinement, stopping, ready, requestStop }: ServerNeeds,
): Promise<HttpServer> {
  const version = await versionOfTakt();
  const homeId = metaValue(parts.database, 'home_id');
  const links = createOneTimeLinks();
  const facts = {
    version,
    homeId,
    startedAtMs: Date.now(),
    unit: unitOfProcess(),
    confinement,
    port: () => server.port(),
  };
  const bindings = allBindings(parts, { facts, jobs, links, background, pullCache, requestStop });
  const server: HttpServer = createHttpServer(parts.app, {
    homeId,
    jobs,
    stopping,
    token: await operatorToken(parts.layout.token),
    version,
    links,
    bindings,
    ready,
  });
  return server;
}

function stopperOf(
  opened: AsyncDisposableStack,
  p: { jobs: Jobs; stopping: AbortController; ended: PromiseWithResolvers<void> },
): () => Promise<void> {
  return once(async () => {
    try {
      // Streams and calls end, and nothing new is taken in.
      p.stopping.abort();
      await p.jobs.stop(AbortSignal.timeout(JOBS_LIMIT_MS));
      await opened.disposeAsync();
    } finally {
      p.ended.resolve();
    }
  });
}

/** Done at the first call; later ones get the same result. */
function once<Value>(act: () => Promise<Value>): () => Promise<Value> {
  let result: Promise<Value> | undefined;
  return () => (result ??= act());
}

async function versionOfTakt(): Promise<string> {
  const text = await readFile(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
