import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

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
  return orUnreadable(() => readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0'), []);
}

/** The pids of all other processes that have one of these files open, as far as this user may see what they have. */
export function findHolders(files: readonly string[]): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => openFilesOf(pid).some((file) => files.includes(file)))
    .map(Number);
}

function openFilesOf(pid: string): string[] {
  const folder = `/proc/${pid}/fd`;
  const names = orUnreadable(() => readdirSync(folder), []);
  return names.map((name) => orUnreadable(() => readlinkSync(`${folder}/${name}`), ''));
}

function orUnreadable<Value>(read: () => Value, otherwise: Value): Value {
  try {
    return read();
  } catch (error) {
    if (UNREADABLE.includes((error as NodeJS.ErrnoException).code ?? '')) return otherwise;
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
  const ofThread = (thread: string): number[] =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
      .split(' ')
      .filter((text) => text !== '')
      .map(Number);
  return orUnreadable(() => readdirSync(`/proc/${pid}/task`).flatMap(ofThread), []);
}
