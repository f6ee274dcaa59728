import { constants } from 'node:fs';
import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { randomHex } from './random-hex.ts';

/**
 * Writes a file so that after a crash it is there whole or not at all: a temporary file in the
 * same folder, fsync, rename, fsync of the folder.
 */
export async function writeFileDurably(path: string, text: string | Uint8Array, mode = 0o644): Promise<void> {
  const temporary = await writeBeside(path, text, mode);
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** The same for a file that must not be there yet; false if it is, and then it is as it was. */
export async function createFileDurably(path: string, text: string | Uint8Array, mode = 0o644): Promise<boolean> {
  const temporary = await writeBeside(path, text, mode);
  try {
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(path));
  return true;
}

async function writeBeside(path: string, text: string | Uint8Array, mode: number): Promise<string> {
  const temporary = `${path}.${randomHex(6)}.tmp`;
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return temporary;
}

/** Makes renames and links in a folder survive a power loss. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The text of a file, or undefined if there is none. What is thrown else names the path, which Node leaves out of a folder's. */
export async function readTextIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw Object.assign(error as NodeJS.ErrnoException, { path });
  }
}

/**
 * Reads a file that an agent may have put there: its last component is not followed if it is a link, it has to be
 * a regular file, and no more than `limitBytes` are taken. Undefined if it is none of that.
 * The folders above it must not be writable for the agent, or be resolved before.
 */
export async function readUntrustedFile(path: string, limitBytes: number): Promise<Buffer | undefined> {
  return readRegular(path, limitBytes, constants.O_NOFOLLOW);
}

/**
 * Reads a file of somebody else's, wherever links lead: never waits, as for a writer of a pipe, and takes no more than
 * `limitBytes`. Undefined if it is missing, larger, unreadable for this user, or no regular file.
 */
export async function readRegularFile(path: string, limitBytes: number): Promise<Buffer | undefined> {
  return readRegular(path, limitBytes, 0);
}

async function readRegular(path: string, limitBytes: number, flags: number): Promise<Buffer | undefined> {
  let file;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | flags);
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
  try {
    const facts = await file.stat();
    if (!facts.isFile() || facts.size > limitBytes) return undefined;
    return await file.readFile();
  } finally {
    await file.close();
  }
}

export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/**
 * Makes a folder and those above it that are missing. Node's own way to do that never ends where the kernel makes no
 * folders, such as in /proc.
 */
export async function makeFolder(path: string, mode = 0o755): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !(await isThere(dirname(path)))) {
      await makeFolder(dirname(path), mode);
      await makeFolder(path, mode);
    } else if (!(await isFolder(path))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
