import type { AttemptRequest } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';
import { findAttempt, insertAttempt, liveAttempts } from '../store/attempts.ts';
import { appendEvent } from '../store/events.ts';
import { setStepState } from '../store/run-steps.ts';
import { askToEnd } from './cancel-attempt.ts';
import type { SpoolEngineParts } from './engine-parts.ts';
import type { LiveAttempt } from './live-attempt.ts';
import { openBench } from './live-bench.ts';
import { type LookContext, look } from './look.ts';
import type { AboutAttempt, Engine } from './port.ts';
import { createSpool, readCancel, sweepSpool } from './spool-folder.ts';
import { watchSpool } from './watch-spool.ts';

/** The engine that is built in: SQLite, step hosts as processes of this machine, a spool folder between the two. */
export function openSpoolEngine(parts: SpoolEngineParts): Engine {
  const { context, lives, hold, close } = openBench(parts);
  return {
    async recover() {
      const attempts = liveAttempts(parts.database);
      await sweepSpool(parts.spool, new Set(attempts.map((attempt) => attempt.id)));
      for (const attempt of attempts) await takeUp(context, hold(attempt));
    },
    async ensureStarted(request, about = {}) {
      if (findAttempt(parts.database, request.attempt) !== undefined) return;
      await createSpool(parts.spool, request);
      parts.debugPoint?.('spool-written');
      recordStart(parts, request, about);
      parts.debugPoint?.('attempt-inserted');
      context.start(hold(findAttempt(parts.database, request.attempt)!));
      parts.debugPoint?.('host-started');
    },
    awaitOutcome(attempt) {
      const live = lives.get(attempt);
      if (live !== undefined) return live.settled.promise;
      const stored = findAttempt(parts.database, attempt);
      if (stored?.isSealed !== true) throw new Fault('INTERNAL', `No engine holds the attempt ${attempt}.`);
      return Promise.resolve(stored);
    },
    async cancel(attempt, reason) {
      const live = lives.get(attempt);
      if (live !== undefined) await askToEnd(live, reason);
    },
    [Symbol.asyncDispose]: close,
  };
}

/** The row comes before the process: a host without a row would work for nobody. */
function recordStart(parts: SpoolEngineParts, request: AttemptRequest, about: AboutAttempt): void {
  const { attempt, run, step, number, workspace } = request;
  const atMs = Date.now();
  parts.database.transaction(() => {
    insertAttempt(parts.database, {
      request,
      atMs,
      sessionId: about.sessionId ?? null,
      isSalvage: about.isSalvage === true,
    });
    setStepState(parts.database, run, step, 'running');
    const data = { step, state: 'starting', attempt, number };
    appendEvent(parts.database, { topic: 'step.update', atMs, workspace, run, data });
  });
  parts.wake();
}

/** An attempt of an earlier service: its host may be at work, at its end, gone, or never have come. */
async function takeUp(context: LookContext, live: LiveAttempt): Promise<void> {
  const reason = await readCancel(live.folder);
  if (reason !== undefined) live.cancel = { reason, sinceMs: Date.now() };
  watchSpool(live, { grew: () => context.tail.mayHaveGrown(live), changed: () => look(context, live) });
  look(context, live);
}
