import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

/** Where log lines go, one JSON object each. */
export interface LogFile {
  write(line: string): void;
  close(): void;
}

const LIMIT_BYTES = 10 * 1024 * 1024;

/** Appends to a file; at 10 MB that becomes `.1` and a new one begins, so a log takes 20 MB at most. */
export function openLog(path: string): LogFile {
  let file = openSync(path, 'a', 0o600);
  let bytes = fstatSync(file).size;
  let isClosed = false;
  const rotate = (): void => {
    closeSync(file);
    renameSync(path, `${path}.1`);
    file = openSync(path, 'a', 0o600);
    bytes = 0;
  };
  return {
    write(line) {
      // What ends late may still want to say so.
      if (isClosed) return;
      try {
        if (bytes >= LIMIT_BYTES) rotate();
        bytes += writeSync(file, line);
      } catch (error) {
        // A full disk must not end the service for the sake of its log; whatever was asked for gets its own fault.
        if (!['ENOSPC', 'EDQUOT', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
      }
    },
    close() {
      isClosed = true;
      closeSync(file);
    },
  };
}
