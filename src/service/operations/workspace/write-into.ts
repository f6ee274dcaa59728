import { lstat, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';

/**
 * Writes a new file into a checked-out repository without following any link that its branch may hold: such a link
 * could
 * lead anywhere. What is there already stays. True if it was written.
 */
export async function writeInto(folder: string, path: string, text: string | Uint8Array): Promise<boolean> {
  const parts = normalize(path)
    .split('/')
    .filter((part) => part !== '' && part !== '.');
  if (parts.length === 0 || parts.includes('..')) return false;
  let current = folder;
  for (const part of parts.slice(0, -1)) {
    current = join(current, part);
    if (!(await isRealFolder(current))) return false;
  }
  try {
    // `wx` neither writes over a file nor through a link (open(2), O_EXCL).
    await writeFile(join(current, parts.at(-1)!), text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isRealFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(path);
    return (await lstat(dirname(path))).isDirectory();
  }
}
