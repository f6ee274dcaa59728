import { readdirSync, readFileSync } from 'node:fs';

/** Codes of a process that ended meanwhile, or that belongs to somebody else. */
const UNREADABLE = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'];

/**
 * The pids of all processes that were started with `TAKT_ATTEMPT` set to this attempt's id, in its confinement or
 * without one; their descendants have it too, unless they took pains to drop it. Only what this user may read is seen.
 */
export function findAttemptProcesses(attempt: string): number[] {
  const wanted = `TAKT_ATTEMPT=${attempt}`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => environmentOf(pid).includes(wanted))
    .map(Number);
}

function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch (error) {
    if (UNREADABLE.includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

/** The pids of all descendants of a process, nearest first. */
export function descendantsOf(pid: number): number[] {
  const found: number[] = [];
  for (let next: number[] = [pid]; next.length > 0;) {
    next = next.flatMap(childrenOf).filter((child) => !found.includes(child));
    found.push(...next);
  }
  return found;
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
        .split(' ')
        .filter((text) => text !== '')
        .map(Number),
    );
  } catch (error) {
    if (UNREADABLE.includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
