import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { listeningInode } from './http/peer-user.ts';

/** Codes of a process that ended meanwhile, or that belongs to somebody else. */
const UNREADABLE = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EINVAL'];

/** Who listens on a TCP port of this machine, in words: `process 4711 (node server.js)`, or that it cannot be told. */
export function portHolder(port: number): string {
  const inode = listeningInode(port);
  const pid =
    inode === undefined
      ? undefined
      : readdirSync('/proc')
          .filter((name) => /^\d+$/.test(name))
          .find((each) => holds(each, inode));
  return pid === undefined ? 'a process that cannot be told (another user’s)' : `process ${pid} (${commandOf(pid)})`;
}

function holds(pid: string, inode: number): boolean {
  return orElse([], () => readdirSync(`/proc/${pid}/fd`)).some(
    (fd) => orElse('', () => readlinkSync(`/proc/${pid}/fd/${fd}`)) === `socket:[${inode}]`,
  );
}

function commandOf(pid: string): string {
  const command = orElse('', () => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  return command.split('\0').join(' ').trim().slice(0, 200) || 'unknown';
}

function orElse<Value>(instead: Value, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (UNREADABLE.includes((error as NodeJS.ErrnoException).code ?? '')) return instead;
    throw error;
  }
}
