import type { AttemptRequest } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';
import { findAttempt, insertAttempt, liveAttempts, type StoredAttempt } from '../store/attempts.ts';
import { appendEvent } from '../store/events.ts';
import { storedBytes } from '../store/output.ts';
import { setStepState } from '../store/run-steps.ts';
import { runOf } from '../store/runs.ts';
import { askToEnd } from './cancel-attempt.ts';
import type { SpoolEngineParts } from './engine-parts.ts';
import type { LiveAttempt } from './live-attempt.ts';
import { type LookContext, look } from './look.ts';
import type { AboutAttempt, Engine } from './port.ts';
import { createSpool, readCancel, sweepSpool } from './spool-folder.ts';
import { startHost } from './start-host.ts';
import { closeOutput, tailOutput } from './tail-output.ts';
import { watchSpool } from './watch-spool.ts';

/** Also finds what a watch missed and a host that was killed; runs only while attempts are alive. */
const LOOK_EVERY_MS = 500;
const SAY_AGAIN_AFTER_MS = 30_000;

/** The engine that is built in: SQLite, step hosts as processes of this machine, a spool folder between the two. */
export function openSpoolEngine(parts: SpoolEngineParts): Engine {
  const lives = new Map<string, LiveAttempt>();
  const closing = new AbortController();
  const log = sayOnceInAWhile(parts.log);
  let timer: NodeJS.Timeout | undefined;
  const tail = tailOutput({
    database: parts.database,
    outputGrew: parts.outputGrew,
    onFault: (error) => log('Output stays in the spool for now: the store does not take it.', error),
  });
  const context: LookContext = {
    ...parts,
    log,
    tail,
    signal: closing.signal,
    start: (live) => {
      live.startedAtMs = Date.now();
      watchSpool(live, { grew: () => tail.mayHaveGrown(live), changed: () => look(context, live) });
      live.child = startHost(parts.hostCommand, live.folder, () => {
        live.child = undefined;
        look(context, live);
      });
    },
    ended: (live) => {
      live.isOver = true;
      release(live);
      lives.delete(live.id);
      if (lives.size === 0) clearInterval(timer);
    },
  };
  const hold = (attempt: StoredAttempt): LiveAttempt => {
    const live = liveFrom(parts, attempt);
    lives.set(live.id, live);
    if (lives.size === 1) timer = setInterval(lookAround, LOOK_EVERY_MS);
    return live;
  };
  const lookAround = (): void => {
    for (const live of lives.values()) {
      tail.mayHaveGrown(live);
      look(context, live);
    }
  };
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
    [Symbol.asyncDispose]() {
      closing.abort();
      clearInterval(timer);
      tail.stop();
      for (const live of lives.values()) release(live);
      return Promise.resolve();
    },
  };
}

/** The row comes before the process: a host without a row would work for nobody. */
function recordStart(parts: SpoolEngineParts, request: AttemptRequest, about: AboutAttempt): void {
  const { attempt, run, step, number, workspace } = request;
  const atMs = Date.now();
  parts.database.transaction(() => {
    insertAttempt(parts.database, {
      ...{ request, atMs, sessionId: about.sessionId ?? null, isSalvage: about.isSalvage === true },
    });
    setStepState(parts.database, run, step, 'running');
    const data = { step, state: 'starting', attempt, number };
    appendEvent(parts.database, { topic: 'step.update', atMs, workspace, run, data });
  });
  parts.wake();
}

function liveFrom(parts: SpoolEngineParts, attempt: StoredAttempt): LiveAttempt {
  const nowMs = Date.now();
  return {
    id: attempt.id,
    run: attempt.run,
    workspace: runOf(parts.database, attempt.run).workspace,
    step: attempt.step,
    number: attempt.number,
    folder: `${parts.spool}/${attempt.id}`,
    storedBytes: storedBytes(parts.database, attempt.id),
    outputFd: undefined,
    watcher: undefined,
    host: undefined,
    child: undefined,
    startsInVain: 0,
    startedAtMs: nowMs,
    cancel: undefined,
    lastSignMs: nowMs,
    isLooking: false,
    isOver: false,
    mustLookAgain: false,
    settled: Promise.withResolvers<StoredAttempt>(),
  };
}

/** An attempt of an earlier service: its host may be at work, at its end, gone, or never have come. */
async function takeUp(context: LookContext, live: LiveAttempt): Promise<void> {
  const reason = await readCancel(live.folder);
  if (reason !== undefined) live.cancel = { reason, sinceMs: Date.now() };
  watchSpool(live, { grew: () => context.tail.mayHaveGrown(live), changed: () => look(context, live) });
  look(context, live);
}

function release(live: LiveAttempt): void {
  live.watcher?.close();
  live.watcher = undefined;
  closeOutput(live);
}

/** What stays wrong is found at every look; the log hears of it every 30 seconds. */
function sayOnceInAWhile(log: SpoolEngineParts['log']): SpoolEngineParts['log'] {
  const saidAtMs = new Map<string, number>();
  return (sentence, cause) => {
    const nowMs = Date.now();
    for (const [said, atMs] of saidAtMs) if (nowMs - atMs > SAY_AGAIN_AFTER_MS) saidAtMs.delete(said);
    if (saidAtMs.has(sentence)) return;
    saidAtMs.set(sentence, nowMs);
    log(sentence, cause);
  };
}
