import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/** Codes of a process that ended meanwhile, or that does not show what it has open. */
const UNREADABLE = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'];

/**
 * True if a process of this user that is not confined has the socket open. Confined work has the same user id where
 * takt is not root, and the network in common with it; but its processes are in a pid namespace below ours, which
 * `NSpid` of proc_pid_status(5) tells of any process. A socket that nobody is seen to have is refused: work could have
 * sent it to itself and closed it for that moment.
 */
export function isHeldOutsideWalls(inode: number): boolean {
  const user = process.getuid?.();
  const held = `socket:[${inode}]`;
  // A program that just began, such as curl, is among the newest.
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => b - a);
  const holder = pids.find((pid) => userOf(pid) === user && hasOpen(pid, held));
  return holder !== undefined && namespaceDepth(holder) === namespaceDepth('self');
}

function userOf(pid: number): number | undefined {
  return orUnreadable(() => statSync(`/proc/${pid}`).uid, undefined);
}

function hasOpen(pid: number, target: string): boolean {
  const folder = `/proc/${pid}/fd`;
  return orUnreadable(() => readdirSync(folder), []).some(
    (fd) => orUnreadable(() => readlinkSync(`${folder}/${fd}`), '') === target,
  );
}

/** How many pid namespaces a process is in, from ours on down; 0 if it is gone. */
function namespaceDepth(pid: number | 'self'): number {
  const status = orUnreadable(() => readFileSync(`/proc/${pid}/status`, 'utf8'), '');
  return /^NSpid:(.*)$/m.exec(status)?.[1]?.trim().split(/\s+/).length ?? 0;
}

function orUnreadable<Value>(read: () => Value, otherwise: Value): Value {
  try {
    return read();
  } catch (error) {
    if (UNREADABLE.includes((error as NodeJS.ErrnoException).code ?? '')) return otherwise;
    throw error;
  }
}
