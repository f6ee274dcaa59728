import { Fault } from './faults.ts';

/** SQLite's primary result codes (sqlite.org/rescode.html); extended ones keep them in the low byte. */
const SQLITE_READONLY = 8;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;

/** The fault behind an error of the system or of SQLite that the state of a disk explains; undefined for any other. */
export function faultOfSystemError(error: unknown): Fault | undefined {
  const { code, errcode, path } = (error ?? {}) as { code?: unknown; errcode?: unknown; path?: unknown };
  const primary = typeof errcode === 'number' ? errcode & 0xff : undefined;
  const place = typeof path === 'string' ? path : 'The home';
  if (primary === SQLITE_FULL || code === 'ENOSPC' || code === 'EDQUOT')
    return new Fault('DISK_FULL', 'The disk of the home is full.', { cause: error });
  if (primary === SQLITE_READONLY || code === 'EROFS')
    return new Fault('HOME_UNUSABLE', `${place} cannot be written: its disk is read-only.`, { cause: error });
  if (code === 'EACCES' || code === 'EPERM')
    return new Fault('HOME_UNUSABLE', `${place} may not be read or written by this user.`, { cause: error });
  if (primary === SQLITE_CANTOPEN)
    return new Fault('HOME_UNUSABLE', 'A database of the home cannot be opened.', {
      hint: '`takt doctor` says what is in the way.',
      cause: error,
    });
  if (code === 'EISDIR' || code === 'ENOTDIR') {
    const what =
      code === 'EISDIR'
        ? 'is a folder, where takt needs a file'
        : 'is a file, or lies below one, where takt needs a folder';
    const named = typeof path === 'string' ? path : 'Something in the home';
    return new Fault('HOME_UNUSABLE', `${named} ${what}.`, { hint: 'Move it away.', cause: error });
  }
  return undefined;
}
