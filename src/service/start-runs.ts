import { homedir } from 'node:os';
import { Fault } from '../contract/faults.ts';
import { openSpoolEngine } from '../engine/spool-engine.ts';
import { stepHostCommand } from '../engine/start-host.ts';
import { listRoots } from '../store/roots.ts';
import { seenRefs } from '../store/seen-refs.ts';
import { runGuidance } from './guidance/run-guidance.ts';
import { followFetched } from './operations/repo/follow-fetched.ts';
import { settleBranchForwards } from './operations/workspace/take-in-upstream.ts';
import type { ServiceParts } from './parts.ts';
import { type RunDesk, startRunDesk } from './runs/run-desk.ts';
import { startWatching } from './watching/start-watching.ts';

const SETTLE_LIMIT_MS = 30_000;

type Watching = Awaited<ReturnType<typeof startWatching>>;

/** What goes on by itself, for operations that are bound before it starts. */
export interface Background {
  readonly desk: RunDesk;
  readonly watching: Watching;
}

/** A place for it; requests wait until the service is ready, so nobody finds it empty. */
export function emptyBackground(): { -readonly [Key in keyof Background]: Background[Key] } {
  const none = (): never => {
    throw new Fault('SERVICE_STARTING', 'The service is starting.');
  };
  let desk: RunDesk | undefined;
  let watching: Watching | undefined;
  return {
    get desk() {
      return desk ?? none();
    },
    set desk(started) {
      desk = started;
    },
    get watching() {
      return watching ?? none();
    },
    set watching(started) {
      watching = started;
    },
  };
}

/**
 * Starts the engine, the desk that drives runs, and the watching of root repos; then takes up what the last service
 * left.
 * Disposing leaves step hosts at work.
 */
export async function startRuns(
  parts: ServiceParts,
  {
    background,
    confinement,
  }: { background: ReturnType<typeof emptyBackground>; confinement: () => Promise<{ works: boolean; why: string }> },
): Promise<AsyncDisposable> {
  const { layout, database, config, bus, log } = parts;
  await settleBranchForwards(parts, AbortSignal.timeout(SETTLE_LIMIT_MS));
  await using opened = new AsyncDisposableStack();
  const engine = openSpoolEngine({
    database,
    spool: layout.attemptsSpool,
    hostCommand: stepHostCommand(),
    wake: bus.wake,
    outputGrew: bus.outputGrew,
    log: (sentence, cause) => log.warn({ err: cause }, sentence),
  });
  opened.use(engine);
  background.desk = startRunDesk({
    layout,
    database,
    config,
    engine,
    bus,
    log,
    confinement,
    checkRefs: async (repos) => {
      for (const repo of repos) await background.watching.checkNow(repo);
    },
    upstreamFetched: followFetched(parts),
    guidanceFor: (workspace) => runGuidance(parts, workspace),
    environment: process.env,
    userHome: homedir(),
  });
  opened.defer(() => background.desk.stop());
  background.watching = await startWatching({
    layout,
    log,
    repos: () => listRoots(database).map(({ repo }) => ({ name: repo, rootFolder: layout.root(repo) })),
    seen: (repo) => seenRefs(database, repo),
    onMoves: (moves) => background.desk.onMoves(moves),
  });
  opened.use(background.watching);
  await background.desk.recover();
  return opened.move();
}
