import { type Dirent, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { factsOf, STALE_AFTER_MS } from './folder-facts.ts';

const ENTRIES_LIMIT = 50_000;
/** Codes of a process that ended meanwhile. */
const GONE = ['ENOENT', 'ESRCH'];

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

/**
 * The git processes that may be at work in a folder. git closes a lock file before it gives the lock up, so that open
 * files prove nothing: what counts is where a process stands and what its command names. One that nobody may look into
 * counts as well.
 */
export function gitProcessesIn(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && isGit(name) && mayWorkIn(name, folder))
    .map(Number);
}

/** Git's own programs are called `git` or `git-…`. */
function isGit(pid: string): boolean {
  return /^git(-|$)/.test(orGone('', () => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()));
}

function mayWorkIn(pid: string, folder: string): boolean {
  try {
    const cwd = readlinkSync(`/proc/${pid}/cwd`);
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
    return `${cwd}/`.startsWith(`${folder}/`) || words.includes(folder) || environment.includes(folder);
  } catch (error) {
    return !GONE.includes((error as NodeJS.ErrnoException).code ?? '');
  }
}

function orGone<Value>(instead: Value, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (GONE.includes((error as NodeJS.ErrnoException).code ?? '')) return instead;
    throw error;
  }
}
