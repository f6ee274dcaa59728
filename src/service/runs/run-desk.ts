import type { RunFeedback } from '../../contract/pull-request.ts';
import type { RunId } from '../../contract/ids.ts';
import { type Affected, type Move, takeInMoves } from '../../engine/trigger.ts';
import { pause } from '../../platform/wait.ts';
import { runSteps } from '../../store/run-steps.ts';
import { findRun } from '../../store/runs.ts';
import { advanceRun } from './advance-run.ts';
import { cancelRun, stopAttempts } from './cancel-run.ts';
import { clearOldFolders } from './clear-folders.ts';
import { pinClearing } from './clear-pins.ts';
import { approveRun, rejectRun } from './decide-run.ts';
import type { Desk, RunDeskParts } from './desk-parts.ts';
import { dispatch } from './dispatch.ts';
import { endRun } from './end-run.ts';
import { reasonFor } from './failure-reason.ts';
import { watchGathering } from './gathering.ts';
import { landRun } from './land-run.ts';
import { recoverRuns } from './recover-runs.ts';
import { retryRun } from './retry-run.ts';
import { triggerRun } from './trigger-run.ts';

const CLEAR_EVERY_MS = 3_600_000;
const ADVANCE_AGAIN_AFTER_MS = 5_000;
const ADVANCE_LIMIT = 5;

/**
 * Drives all runs of a home: gathers pushes, gives out slots and places, starts steps, lands what passed, ends what is
 * over. Everything that it knows is in the store, so that the next desk goes on where this one was killed.
 *
 * Order of life: `onMoves` may be called from the start; `recover` once, when the watching of refs has begun; the
 * others after that. `stop` leaves the step hosts at work.
 */
export interface RunDesk {
  recover(): Promise<void>;
  /**
   * Branches that stand elsewhere than they were seen. Synchronous: when it returns, the trigger is committed. It
   * throws if the store takes nothing, as on a full disk; then the same moves have to be told again.
   */
  onMoves(moves: readonly Move[]): void;
  /** `feedback` is for the first agent of the run. */
  trigger(workspace: string, note: string | null, feedback?: RunFeedback): Promise<RunId>;
  cancel(run: RunId): Promise<void>;
  retry(run: RunId, from: string | undefined): Promise<void>;
  approve(run: RunId, given: Parameters<typeof approveRun>[2]): void;
  reject(run: RunId, note: string | undefined): void;
  land(run: RunId): ReturnType<typeof landRun>;
  stop(): Promise<void>;
}

export function startRunDesk(parts: RunDeskParts): RunDesk {
  const closing = new AbortController();
  const queue = serialWork(closing.signal);
  let isOpen = false;
  const desk: Desk = {
    ...parts,
    holding: new Set(),
    wanting: new Set(),
    portSlots: new Map(),
    signal: closing.signal,
    serially: queue.serially,
    watchGathering: (run) => gathering.watch(run),
    dispatch: () => {
      if (isOpen) dispatchSafely(desk);
    },
    advance: (run) => {
      if (isOpen) void advanceStubbornly(desk, run);
    },
  };
  const gathering = watchGathering(desk);
  const follow = (affected: Pick<Affected, 'gathering' | 'stopping'>): void => {
    for (const run of affected.gathering) gathering.watch(run);
    for (const run of affected.stopping) {
      stopAttempts(desk, run).catch((error: unknown) =>
        desk.log.error({ err: error, run }, 'A run could not be ended.'),
      );
    }
  };
  return {
    async recover() {
      await recoverRuns(desk, () => {
        isOpen = true;
      });
      void clearNowAndThen(desk);
    },
    onMoves(moves) {
      const affected = takeInMoves(desk.database, moves, { nowMs: Date.now(), onNewPush: onNewPush(desk) });
      desk.debugPoint?.('moves-taken-in');
      if (affected.isChanged) desk.bus.wake();
      follow(affected);
    },
    async trigger(workspace, note, feedback) {
      const { run, stopping } = await triggerRun(desk, workspace, note, feedback);
      desk.bus.wake();
      follow({ gathering: [run], stopping });
      return run;
    },
    cancel: (run) => cancelRun(desk, run),
    retry: (run, from) => retryRun(desk, run, from),
    approve: (run, given) => approveRun(desk, run, given),
    reject: (run, note) => rejectRun(desk, run, note),
    land: (run) => landRun(desk, run),
    async stop() {
      closing.abort();
      gathering.stop();
      await queue.settled();
    },
  };
}

/** A push must never be lost because the settings cannot be read just then. */
function onNewPush(desk: Desk): 'stop' | 'finish' {
  try {
    return desk.config.settings().on_new_push;
  } catch (error) {
    desk.log.warn({ err: error }, 'The settings cannot be read, so a new push ends the running run.');
    return 'stop';
  }
}

/** At the start, and every hour. */
async function clearNowAndThen(desk: Desk): Promise<void> {
  const clearPins = pinClearing(desk);
  while (!desk.signal.aborted) {
    try {
      await clearOldFolders(desk);
      await clearPins();
      await pause(CLEAR_EVERY_MS, desk.signal);
    } catch (error) {
      if (desk.signal.aborted) return;
      desk.log.warn({ err: error }, 'Folders of old runs could not be cleared away.');
      await pause(CLEAR_EVERY_MS, desk.signal).catch(() => undefined);
    }
  }
}

/** Called from everywhere, so that it must not throw; whatever comes next calls it again. */
function dispatchSafely(desk: Desk): void {
  try {
    dispatch(desk);
  } catch (error) {
    desk.log.error({ err: error }, 'Places could not be given out.');
  }
}

/** A disk that is full or a git that fails may come right again; a run that cannot go on for long ends, saying so. */
async function advanceStubbornly(desk: Desk, id: RunId): Promise<void> {
  for (let failures = 1; !desk.signal.aborted; failures += 1) {
    try {
      await desk.serially(id, () => advanceRun(desk, id));
      return;
    } catch (error) {
      if (desk.signal.aborted) return;
      desk.log.error({ err: error, run: id, failures }, 'A run could not go on; it is tried again.');
      if (failures >= ADVANCE_LIMIT) {
        giveUp(desk, id, error);
        return;
      }
      await pause(ADVANCE_AGAIN_AFTER_MS, desk.signal).catch(() => undefined);
    }
  }
}

function giveUp(desk: Desk, id: RunId, cause: unknown): void {
  const run = findRun(desk.database, id);
  if (run?.state !== 'running') return;
  const step = runSteps(desk.database, id).find((each) => each.state !== 'passed')?.name ?? null;
  try {
    endRun(desk, run, { state: 'failed', step, reason: reasonFor(cause) });
  } catch (error) {
    desk.log.error({ err: error, run: id }, 'The end of a run could not be stored; the next start takes it up.');
  }
}

/** One thing at a time per run, in the order in which they were asked for; nothing more once the desk stops. */
function serialWork(signal: AbortSignal): { serially: Desk['serially']; settled(): Promise<void> } {
  const last = new Map<RunId, Promise<unknown>>();
  return {
    serially(run, work) {
      const before = last.get(run) ?? Promise.resolve();
      const mine = before.then(() => (signal.aborted ? undefined : work()));
      // Whoever asked for it hears of its failure; what comes after it goes on.
      const ended = mine.catch(() => undefined);
      last.set(run, ended);
      void ended.then(() => {
        if (last.get(run) === ended) last.delete(run);
      });
      return mine;
    },
    async settled() {
      await Promise.all(last.values());
    },
  };
}
