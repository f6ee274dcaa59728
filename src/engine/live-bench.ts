import { rm } from 'node:fs/promises';
import type { StoredAttempt } from '../store/attempts.ts';
import { storedBytes } from '../store/output.ts';
import { runOf } from '../store/runs.ts';
import type { SpoolEngineParts } from './engine-parts.ts';
import type { LiveAttempt } from './live-attempt.ts';
import { type LookContext, look } from './look.ts';
import { startHost } from './start-host.ts';
import { closeOutput, type OutputTail, tailOutput } from './tail-output.ts';
import { watchSpool } from './watch-spool.ts';

/** Also finds what a watch missed and a host that was killed; runs only while attempts are alive. */
const LOOK_EVERY_MS = 500;
const SAY_AGAIN_AFTER_MS = 30_000;

/** The attempts that an engine holds, and what is done with each. */
export interface LiveBench {
  readonly context: LookContext;
  readonly lives: ReadonlyMap<string, LiveAttempt>;
  /** Takes an attempt of the store into the regular look. */
  hold(attempt: StoredAttempt): LiveAttempt;
  close(): Promise<void>;
}

export function openBench(parts: SpoolEngineParts): LiveBench {
  const lives = new Map<string, LiveAttempt>();
  const removals = new Set<Promise<void>>();
  const closing = new AbortController();
  const log = sayOnceInAWhile(parts.log);
  const tail = tailOutput({
    database: parts.database,
    outputGrew: parts.outputGrew,
    onFault: (error) => log('Output stays in the spool for now: the store does not take it.', error),
  });
  let timer: NodeJS.Timeout | undefined;
  const context: LookContext = {
    ...parts,
    log,
    tail,
    signal: closing.signal,
    start: (live) => start(context, live),
    ended: (live) => {
      live.isOver = true;
      release(live);
      lives.delete(live.id);
      if (lives.size === 0) clearInterval(timer);
    },
    remove: (folder) => {
      const removal = rm(folder, { recursive: true, force: true })
        .catch((error: unknown) => log(`The folder ${folder} could not be removed; the next start does it.`, error))
        .finally(() => removals.delete(removal));
      removals.add(removal);
    },
  };
  return {
    context,
    lives,
    hold(attempt) {
      const live = liveFrom(parts, attempt);
      lives.set(live.id, live);
      if (lives.size === 1) timer = setInterval(() => lookAround(context, tail, lives), LOOK_EVERY_MS);
      return live;
    },
    async close() {
      closing.abort();
      clearInterval(timer);
      tail.stop();
      for (const live of lives.values()) release(live);
      await Promise.all(removals);
    },
  };
}

function lookAround(context: LookContext, tail: OutputTail, lives: ReadonlyMap<string, LiveAttempt>): void {
  for (const live of lives.values()) {
    tail.mayHaveGrown(live);
    look(context, live);
  }
}

function start(context: LookContext, live: LiveAttempt): void {
  live.startedAtMs = Date.now();
  watchSpool(live, { grew: () => context.tail.mayHaveGrown(live), changed: () => look(context, live) });
  try {
    live.child = startHost(context.hostCommand, live.folder, () => {
      live.child = undefined;
      look(context, live);
    });
  } catch (error) {
    // Its row is in the store, so the regular look goes on trying and gives it an end.
    context.log(`The step host of ${live.id} could not be started.`, error);
  }
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
