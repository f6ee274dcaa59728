import { closeSync, constants, lstatSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { quietEnvironment } from '../../git/git.ts';
import { runProcess } from '../../platform/run-process.ts';

export interface PokeFifo extends Disposable {
  /** False once it was removed or could not be read; then a new one is needed. */
  isUsable(): boolean;
}

/**
 * Makes the FIFO that hooks poke, and calls `onPoke` for what comes. It is opened for reading and writing: so it never
 * ends, and opening waits for nobody.
 */
export async function openPokeFifo(
  path: string,
  onPoke: () => void,
  { signal }: { signal: AbortSignal },
): Promise<PokeFifo> {
  if (inodeOf(path) === undefined) {
    await rm(path, { force: true });
    const made = await runProcess('mkfifo', ['-m', '600', path], { env: quietEnvironment(), signal });
    if (made.exitCode !== 0)
      throw new Error(`The FIFO ${path} could not be made: ${made.stderr.trim()}${made.startError ?? ''}`);
  }
  const inode = inodeOf(path);
  const handle = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  let socket: Socket;
  try {
    socket = new Socket({ fd: handle, readable: true, writable: false });
  } catch (error) {
    closeSync(handle);
    throw error;
  }
  let isOpen = true;
  socket.on('data', onPoke);
  // The sweep sees that it is closed and opens another.
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    isOpen = false;
  });
  return {
    isUsable: () => isOpen && inodeOf(path) === inode,
    [Symbol.dispose]: () => socket.destroy(),
  };
}

function inodeOf(path: string): number | undefined {
  try {
    const facts = lstatSync(path);
    return facts.isFIFO() ? facts.ino : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
