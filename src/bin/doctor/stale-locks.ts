import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { factsOf, STALE_AFTER_MS } from './folder-facts.ts';

const ENTRIES_LIMIT = 50_000;

/** Lock files of git in a bare repository that nobody has touched for minutes: of refs, configuration and packs. */
export async function staleLocksIn(rootFolder: string): Promise<string[]> {
  const found: string[] = [];
  let entries = 0;
  const folders = [rootFolder];
  for (const folder of folders) {
    for (const entry of await entriesOf(folder)) {
      if ((entries += 1) > ENTRIES_LIMIT) return found;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        // Of the objects' folders only these two have locks, and the others are many.
        if (folder !== join(rootFolder, 'objects') || ['info', 'pack'].includes(entry.name)) folders.push(path);
      } else if (entry.name.endsWith('.lock') && (await isStale(path))) found.push(path);
    }
  }
  return found;
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

async function isStale(path: string): Promise<boolean> {
  const facts = await factsOf(path);
  return facts !== undefined && Date.now() - facts.mtimeMs > STALE_AFTER_MS;
}
