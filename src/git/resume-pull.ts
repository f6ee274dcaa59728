import { lstat, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommitId } from '../contract/ids.ts';
import { asText } from './byte-paths.ts';
import { cloneObstacle, readCloneRefs } from './clone-files.ts';
import { openCloneView } from './clone-view.ts';
import { copyAside, madeMeanwhile } from './made-meanwhile.ts';
import { bringObjects, takeLock } from './pull-clone.ts';

interface CutPull {
  readonly folder: string;
  readonly rootFolder: string;
  readonly branch: string;
  /** Between which commits the clone was being moved. */
  readonly old: CommitId;
  readonly new: CommitId;
  /** Locks that are older were left by whoever was killed. */
  readonly lockedBeforeMs: number;
  /** Where that goes which is neither what it was nor what it becomes. */
  readonly aside: string;
  readonly signal: AbortSignal;
}

/**
 * Brings a pull to its end that was cut short: locks that were left go, and all files become those of the new commit.
 * What is of neither commit, such as a file that was half written, or a link or folder that somebody made since, is
 * copied aside first. Gives the paths of that; null if another git is at work in the clone, so that it is still to be
 * done. A clone that was moved elsewhere meanwhile is only freed of the locks.
 */
export async function resumePull(p: CutPull): Promise<string[] | null> {
  if ((await cloneObstacle(p.folder)) === 'missing') return [];
  const gitFolder = join(p.folder, '.git');
  const names = ['index', join('refs', 'heads', p.branch), join('refs', 'remotes', 'origin', p.branch)];
  for (const name of names) await removeOldLock(join(gitFolder, `${name}.lock`), p.lockedBeforeMs);
  const { branch, head } = await readCloneRefs(p.folder);
  if (branch !== p.branch || head !== p.old) return [];
  const indexLock = await takeLock(gitFolder, 'index');
  const refLock = await takeLock(gitFolder, join('refs', 'heads', p.branch));
  try {
    if (indexLock === null || refLock === null) return null;
    await using view = await openCloneView({ ...p, head });
    await bringObjects(view, p);
    const made = await madeMeanwhile(view, p);
    for (const path of made) await copyAside(p.folder, path, p.aside);
    await view.git(['read-tree', '--reset', '-u', p.new], p);
    await indexLock.commit(await readFile(view.index));
    await refLock.commit(`${p.new}\n`);
    return made.map(asText);
  } finally {
    await indexLock?.release();
    await refLock?.release();
  }
}

async function removeOldLock(lock: string, beforeMs: number): Promise<void> {
  try {
    const found = await lstat(lock);
    if (found.isFile() && found.mtimeMs < beforeMs) await rm(lock, { force: true });
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
