import { Fault } from './faults.ts';

/** SQLite's primary result codes (sqlite.org/rescode.html); extended ones keep them in the low byte. */
const SQLITE_READONLY = 8;
const SQLITE_FULL = 13;

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
  return undefined;
}
