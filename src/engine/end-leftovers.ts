import { setTimeout as sleep } from 'node:timers/promises';
import { findAttemptProcesses } from '../platform/attempt-processes.ts';
import { bootId, startTicksOf } from '../platform/process-identity.ts';
import type { LiveAttempt } from './live-attempt.ts';
import { readWorkProcess } from './spool-folder.ts';

const LOOK_EVERY_MS = 20;
const GIVE_UP_AFTER_MS = 5_000;

/**
 * Kills what a host that is gone left running and says whether all of it is proven dead: two writers on one session
 * lose a branch of it, so nothing goes on before that.
 */
export async function endLeftovers(live: LiveAttempt, signal: AbortSignal): Promise<boolean> {
  // Whatever ran before the machine was started again is dead, and its pids mean others now.
  if (live.host !== undefined && live.host.bootId !== bootId()) return true;
  const work = await readWorkProcess(live.folder);
  const giveUpAtMs = Date.now() + GIVE_UP_AFTER_MS;
  for (;;) {
    const isWorkAlive = work !== undefined && startTicksOf(work.pid) === work.startTicks;
    // The environment tells children that were not inside walls; the pid tells a program that changed its own.
    const left = new Set([...(isWorkAlive ? [work.pid] : []), ...findAttemptProcesses(live.id)]);
    left.delete(process.pid);
    if (left.size === 0) return true;
    if (Date.now() > giveUpAtMs) return false;
    for (const pid of left) kill(pid);
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // Gone meanwhile; or it may not be killed by us, and then it stays in the list until the time is up.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
