import type { Stats } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** So long something may be in the making; what is older was left by something that ended. */
export const STALE_AFTER_MS = 10 * 60_000;

/** What a path is, links not followed; undefined if it is not there. */
export async function factsOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** What lies above a path and is no folder, so that nothing can be there; undefined if that is not so, or hidden. */
export async function fileAbove(path: string): Promise<string | undefined> {
  const above = dirname(path);
  try {
    return (await stat(above)).isDirectory() ? undefined : above;
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    return fileAbove(above);
  }
}

/** The names in a folder, sorted; none if it is not there or may not be read. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).toSorted();
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

/** Names in a folder of what has not changed for so long. */
export async function staleNamesIn(folder: string, afterMs = STALE_AFTER_MS): Promise<string[]> {
  const names = await namesIn(folder);
  const facts = await Promise.all(names.map((name) => factsOf(join(folder, name))));
  return names.filter((_, at) => Date.now() - (facts[at]?.mtimeMs ?? Date.now()) > afterMs);
}

const FILES_LIMIT = 200_000;

/** Bytes of all files below; links are not followed, what cannot be read counts as nothing, and what is too much ends it. */
export async function sizeOf(folder: string, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  const folders = [folder];
  let files = 0;
  for (const each of folders) {
    for (const name of await namesIn(each)) {
      signal.throwIfAborted();
      if ((files += 1) > FILES_LIMIT) return bytes;
      const path = join(each, name);
      const found = await lstat(path).catch(() => undefined);
      if (found?.isDirectory() === true) folders.push(path);
      else bytes += found?.size ?? 0;
    }
  }
  return bytes;
}
