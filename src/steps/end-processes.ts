import { setTimeout as sleep } from 'node:timers/promises';
import { descendantsOf, findAttemptProcesses, findHolders } from '../platform/attempt-processes.ts';
import { startTicksOf } from '../platform/process-identity.ts';

const KILL_AFTER_MS = 1_500;
const LOOK_EVERY_MS = 2;
const GONE_LIMIT_MS = 5_000;

/**
 * Ends the work below `pid`: asks all of it to end, and 1.5 s later kills what is left. Inside walls the death of
 * bubblewrap takes everything along; without them the attempt's processes are found by their environment.
 */
export async function endProcesses(pid: number, attempt: string, exited: Promise<unknown>): Promise<void> {
  for (const process of familyOf(pid, attempt)) send(process, 'SIGTERM');
  const timer = new AbortController();
  await Promise.race([exited, sleep(KILL_AFTER_MS, undefined, { signal: timer.signal })]);
  timer.abort();
  for (const process of [pid, ...familyOf(pid, attempt)]) send(process, 'SIGKILL');
}

/**
 * Kills what an attempt left running and waits until it is gone: only then may its files be looked at. Inside walls
 * the kernel is at it already; `firstInside` is their first process, whose end is the end of all of them. Without them
 * the attempt's processes are known by their environment, and by having one of its `pipes` open.
 */
export async function untilGone(
  attempt: string,
  firstInside: number | undefined,
  pipes: readonly string[] = [],
): Promise<void> {
  const giveUpAtMs = Date.now() + GONE_LIMIT_MS;
  while (Date.now() < giveUpAtMs) {
    const left = firstInside === undefined ? leftOutside(attempt, pipes) : [firstInside].filter(isRunning);
    if (left.length === 0) return;
    if (firstInside === undefined) for (const pid of left) send(pid, 'SIGKILL');
    await sleep(LOOK_EVERY_MS);
  }
}

function leftOutside(attempt: string, pipes: readonly string[]): number[] {
  return [...new Set([...findAttemptProcesses(attempt), ...(pipes.length === 0 ? [] : findHolders(pipes))])];
}

/** bubblewrap itself, `pid`, is not asked: it would end at once and leave the work no time. */
function familyOf(pid: number, attempt: string): number[] {
  return [...new Set([...descendantsOf(pid), ...findAttemptProcesses(attempt)])];
}

const isRunning = (pid: number): boolean => startTicksOf(pid) !== undefined;

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // Gone meanwhile, or (unconfined) a program that changed its user: there is nothing to do about either.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
