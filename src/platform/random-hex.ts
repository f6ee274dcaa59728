import { closeSync, openSync, readSync } from 'node:fs';

/**
 * Random bytes of the kernel, in hexadecimal, for names that nobody else has. Asked of the kernel itself, since loading
 * `node:crypto` takes longer than most git commands.
 */
export function randomHex(bytes: number): string {
  const file = openSync('/dev/urandom', 'r');
  try {
    const buffer = Buffer.alloc(bytes);
    readSync(file, buffer);
    return buffer.toString('hex');
  } finally {
    closeSync(file);
  }
}
