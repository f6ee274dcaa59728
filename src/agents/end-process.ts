import { readdirSync, readFileSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf, isAlive, type ProcessIdentity } from '../platform/process-identity.ts';

/** Claude Code ends its own Bash calls when it is asked to end; longer than this it is not waited for. */
const ASKED_TO_END_MS = 1_500;
const LOOK_EVERY_MS = 50;

/** The variable by which a process outside of walls is known to belong to an attempt, whatever its parent is now. */
export const ATTEMPT_VARIABLE = 'TAKT_ATTEMPT';

/**
 * Ends a session at once. Inside walls nothing outlives its first process. Outside, Claude Code is asked first, because
 * it alone knows its children; whatever is left of the attempt afterwards is killed, daemons included.
 */
export async function endSession(child: ChildProcess, options: { isConfined: boolean; attempt: string }): Promise<void> {
  if (options.isConfined) {
    child.kill('SIGKILL');
    return;
  }
  child.kill('SIGTERM');
  for (let waitedMs = 0; waitedMs < ASKED_TO_END_MS && isRunning(child); waitedMs += LOOK_EVERY_MS) await sleep(LOOK_EVERY_MS);
  child.kill('SIGKILL');
  killAttempt(options.attempt);
}

const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

/** Kills every process of this user that carries the attempt's id in its environment, except this one. */
export function killAttempt(attempt: string): void {
  for (const { pid } of processesOf(attempt)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      // It ended in the meantime.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** The living processes of an attempt that runs without walls, this process not counted. */
export function processesOf(attempt: string): ProcessIdentity[] {
  const entry = `${ATTEMPT_VARIABLE}=${attempt}`;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids.flatMap((pid) => {
    if (!environmentOf(pid).includes(entry)) return [];
    const identity = identityOf(Number(pid));
    return identity !== undefined && isAlive(identity) ? [identity] : [];
  });
}

function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch (error) {
    // Gone, or another user's.
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
