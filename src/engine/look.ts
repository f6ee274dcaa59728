import type { AttemptOutcome } from '../contract/attempt.ts';
import { isThere } from '../platform/files.ts';
import { isAlive } from '../platform/process-identity.ts';
import { type AttemptEnd, attemptRequest, markRunning } from '../store/attempts.ts';
import { appendEvent } from '../store/events.ts';
import { endDeafHost } from './cancel-attempt.ts';
import { endLeftovers } from './end-leftovers.ts';
import type { SpoolEngineParts } from './engine-parts.ts';
import type { LiveAttempt } from './live-attempt.ts';
import { readHostLog, readOutcome, readTaken, renewSpool, revoke, SpoolDamage } from './spool-folder.ts';
import type { OutputTail } from './tail-output.ts';
import { endFromOutcome, endWithoutOutcome, sealWith } from './take-outcome.ts';

/** A process that has not taken its attempt by then never will. */
const TAKE_LIMIT_MS = 60_000;
const STARTS_LIMIT = 3;

export interface LookContext extends SpoolEngineParts {
  readonly tail: OutputTail;
  readonly signal: AbortSignal;
  /** Starts a host for an attempt in its folder as it is. */
  readonly start: (live: LiveAttempt) => void;
  /** Lets go of an attempt that is over. */
  readonly ended: (live: LiveAttempt) => void;
  /** Removes a spool folder whose content is stored. */
  readonly remove: (folder: string) => void;
}

/**
 * Looks at one attempt's folder and does what follows from it; one look at a time, and one more if somebody asked
 * meanwhile. What fails is said in the log and tried again at the next regular look: the spool keeps everything.
 */
export function look(context: LookContext, live: LiveAttempt): void {
  live.mustLookAgain = true;
  if (live.isLooking || live.isOver) return;
  live.isLooking = true;
  void lookUntilQuiet(context, live).finally(() => {
    live.isLooking = false;
  });
}

async function lookUntilQuiet(context: LookContext, live: LiveAttempt): Promise<void> {
  try {
    while (live.mustLookAgain && !context.signal.aborted) {
      live.mustLookAgain = false;
      if (await lookOnce(context, live)) return;
    }
  } catch (error) {
    if (context.signal.aborted) return;
    if (error instanceof SpoolDamage) sealBroken(context, live, error.message);
    else context.log(`The attempt ${live.id} could not be looked at; it is tried again.`, error);
  }
}

/** True if the attempt is over. */
async function lookOnce(context: LookContext, live: LiveAttempt): Promise<boolean> {
  if (await takeOutcome(context, live)) return true;
  if (live.host === undefined) {
    // Somebody removed the folder by hand: nothing more can be learned from it.
    if (!(await isThere(live.folder))) return await takeLeave(context, live);
    const taken = await readTaken(live.folder);
    if (taken === 'unreadable') throw new SpoolDamage('taken is not what a host writes.');
    if (taken === undefined || taken === 'revoked') return await waitForHost(context, live, taken === 'revoked');
    live.host = taken;
    noteRunning(context, live);
  }
  if (isAlive(live.host) && !endDeafHost(live)) return false;
  if (isAlive(live.host)) {
    live.mustLookAgain = true;
    return false;
  }
  // It may have written its outcome between the first look and its end.
  return (await takeOutcome(context, live)) || (await takeLeave(context, live));
}

async function takeOutcome(context: LookContext, live: LiveAttempt): Promise<boolean> {
  const outcome = await readOutcome(live.folder);
  if (outcome === undefined) return false;
  context.debugPoint?.('outcome-seen');
  if (!drained(context, live, outcome)) return true;
  seal(context, live, endFromOutcome(outcome), outcome);
  return true;
}

/** Output that is shorter than promised is a defect of the host; what it pinned is still true. */
function drained(context: LookContext, live: LiveAttempt, outcome: AttemptOutcome): boolean {
  try {
    context.tail.drain(live, outcome.outputBytes);
    return true;
  } catch (error) {
    if (!(error instanceof SpoolDamage)) throw error;
    const reason = { class: 'internal' as const, sentence: `The step host left damaged files: ${error.message}` };
    const { repos, result, usage, confinement, exitCode } = outcome;
    const end = { ...endWithoutOutcome(live, 'broken', reason), repos, result, usage, confinement, exitCode };
    seal(context, live, end, outcome);
    return false;
  }
}

/** No host has taken the attempt: one is on its way, or another has to be started. */
async function waitForHost(context: LookContext, live: LiveAttempt, isRevoked: boolean): Promise<boolean> {
  if (!isRevoked) {
    if (live.child !== undefined && Date.now() - live.startedAtMs < TAKE_LIMIT_MS) return false;
    if (!(await revoke(live.folder))) {
      live.mustLookAgain = true;
      return false;
    }
  }
  context.debugPoint?.('revoked');
  live.child?.kill('SIGKILL');
  if (live.cancel !== undefined) {
    seal(context, live, endWithoutOutcome(live, live.cancel.reason, stopReason(live.cancel.reason)));
    return true;
  }
  live.startsInVain += 1;
  if (live.startsInVain >= STARTS_LIMIT) {
    const words = await readHostLog(live.folder);
    sealBroken(context, live, `it did not start${words === '' ? '.' : `: ${words}`}`);
    return true;
  }
  await renewSpool(context.spool, attemptRequest(context.database, live.id)!);
  context.start(live);
  return false;
}

/** The host is gone for good and left no outcome. */
async function takeLeave(context: LookContext, live: LiveAttempt): Promise<boolean> {
  if (!(await endLeftovers(live, context.signal))) {
    context.log(`Processes of the attempt ${live.id} are still alive, so nothing goes on there.`);
    return false;
  }
  context.tail.drainLines(live);
  const words = 'The step host vanished before it could report the end.';
  const end =
    live.cancel === undefined
      ? endWithoutOutcome(live, 'interrupted', { class: 'host_gone', sentence: words })
      : endWithoutOutcome(live, live.cancel.reason, { class: 'host_gone', sentence: `${words} It was being ended.` });
  seal(context, live, end);
  return true;
}

function sealBroken(context: LookContext, live: LiveAttempt, what: string): void {
  try {
    context.tail.drainLines(live);
    const sentence = `The step host is broken: ${what}`;
    seal(context, live, endWithoutOutcome(live, 'broken', { class: 'internal', sentence }));
  } catch (error) {
    context.log(`The end of the attempt ${live.id} could not be stored; it is tried again.`, error);
  }
}

function seal(context: LookContext, live: LiveAttempt, end: AttemptEnd, letOut?: Parameters<typeof sealWith>[3]): void {
  const stored = sealWith(context.database, live, end, letOut);
  context.debugPoint?.('attempt-sealed');
  context.ended(live);
  context.wake();
  live.settled.resolve(stored);
  context.remove(live.folder);
}

function noteRunning(context: LookContext, live: LiveAttempt): void {
  const { id, run, workspace, step, number } = live;
  context.database.transaction(() => {
    if (!markRunning(context.database, id)) return;
    const data = { step, state: 'running', attempt: id, number };
    appendEvent(context.database, { topic: 'step.update', atMs: Date.now(), workspace, run, data });
  });
  context.wake();
}

function stopReason(why: 'cancelled' | 'superseded'): NonNullable<AttemptEnd['reason']> {
  return { class: why, sentence: 'It was ended before it began.' };
}
