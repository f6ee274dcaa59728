import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { randomHex } from './random-hex.ts';

/** `writeFileDurably` without the threads that Node starts for its promises: for a process that ends right after. */
export function writeFileDurablySync(path: string, text: string): void {
  const temporary = `${path}.${randomHex(6)}.tmp`;
  try {
    writeNewSynced(temporary, text);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Writes a file that must not be there yet; when it returns, its bytes survive a power loss. */
export function writeNewSynced(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o644);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
