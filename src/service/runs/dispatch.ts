import type { RunId } from '../../contract/ids.ts';
import { findRun, isRetried, newerAtWork, runsInState, type StoredRun } from '../../store/runs.ts';
import { beginQueuedRun } from './begin-run.ts';
import type { Desk } from './desk-parts.ts';
import { stepsAtOnce } from './places.ts';
import { isAtWork } from './run-so-far.ts';
import { startNext } from './start-next.ts';

const AGAIN_AFTER_MS = 5_000;

/** Gives free places to the runs that were queued first: such that wait for their next step, and such that begin. */
export function dispatch(desk: Desk): void {
  if (desk.signal.aborted) return;
  const limit = placesNow(desk);
  while (desk.holding.size < limit) {
    const run = longestWaiting(desk);
    if (run === undefined) return;
    desk.holding.add(run.id);
    desk.wanting.delete(run.id);
    desk
      .serially(run.id, () => takePlace(desk, run.id))
      .catch((error: unknown) => {
        desk.log.error({ err: error, run: run.id }, 'A run could not begin its next step; it is tried again.');
        setTimeout(desk.dispatch, AGAIN_AFTER_MS).unref();
      });
  }
}

async function takePlace(desk: Desk, id: RunId): Promise<void> {
  try {
    if (findRun(desk.database, id)?.state === 'queued') await beginQueuedRun(desk, id);
    if (await startNext(desk, id)) return;
  } catch (error) {
    desk.holding.delete(id);
    if (findRun(desk.database, id)?.state === 'running') desk.wanting.add(id);
    throw error;
  }
  // The place was not needed: the run ended, or asks first.
  if (!isAtWork(desk, id)) desk.holding.delete(id);
  desk.advance(id);
  desk.dispatch();
}

function longestWaiting(desk: Desk): StoredRun | undefined {
  const running = runsInState(desk.database, 'running');
  const wanting = running.filter((run) => desk.wanting.has(run.id) && !desk.holding.has(run.id));
  const queued = runsInState(desk.database, 'queued').filter(
    (run) => !desk.holding.has(run.id) && !isBehindNewer(desk, run),
  );
  // A run that has a place and is queued is about to begin, so its workspace is taken as well.
  const taken = new Set([
    ...running.map((run) => run.workspace),
    ...[...desk.holding].map((id) => findRun(desk.database, id)?.workspace),
  ]);
  return [...wanting, ...queued.filter((run) => !taken.has(run.workspace))].toSorted(
    (one, other) => one.queuedAtMs - other.queuedAtMs || one.number - other.number,
  )[0];
}

/**
 * A run that is retried while a newer one of its workspace is on its way goes after that, on what it leaves on the
 * branches: two that begin with the same commits could not both land.
 */
function isBehindNewer({ database }: Desk, run: StoredRun): boolean {
  return isRetried(database, run.id) && newerAtWork(database, run) !== undefined;
}

/** A settings file that cannot be read keeps nothing from ending: one place is left. */
function placesNow(desk: Desk): number {
  try {
    return stepsAtOnce(desk.config.settings());
  } catch (error) {
    desk.log.warn({ err: error }, 'The settings cannot be read, so one step runs at a time.');
    return 1;
  }
}
