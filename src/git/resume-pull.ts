import { cp, lstat, mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CommitId } from '../contract/ids.ts';
import { cloneObstacle, readCloneRefs } from './clone-files.ts';
import { type CloneView, openCloneView } from './clone-view.ts';
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
  /** Where files go that hold neither what they were nor what they become. */
  readonly aside: string;
  readonly signal: AbortSignal;
}

/**
 * Brings a pull to its end that was cut short: locks that were left go, and all files become those of the new commit. A
 * file that holds something else, such as one that was half written or that somebody changed since, is copied aside
 * first. Gives the paths of those. A clone that was moved elsewhere meanwhile is only freed of the locks.
 */
export async function resumePull(p: CutPull): Promise<string[]> {
  if ((await cloneObstacle(p.folder)) === 'missing') return [];
  const gitFolder = join(p.folder, '.git');
  const names = ['index', join('refs', 'heads', p.branch), join('refs', 'remotes', 'origin', p.branch)];
  for (const name of names) await removeOldLock(join(gitFolder, `${name}.lock`), p.lockedBeforeMs);
  const { branch, head } = await readCloneRefs(p.folder);
  if (branch !== p.branch || head !== p.old) return [];
  const indexLock = await takeLock(gitFolder, 'index');
  const refLock = await takeLock(gitFolder, join('refs', 'heads', p.branch));
  try {
    if (indexLock === null || refLock === null) return [];
    await using view = await openCloneView({ ...p, head });
    await bringObjects(view, p);
    const others = await filesOfNeither(view, p);
    for (const path of others) await copyAside(p, path);
    await view.git(['read-tree', '--reset', '-u', p.new], p);
    await indexLock.commit(await readFile(view.index));
    await refLock.commit(`${p.new}\n`);
    return others;
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

/** Files that differ from the new commit, and from the old one as well or are not of it. */
async function filesOfNeither(view: CloneView, { folder, old, new: target, signal }: CutPull): Promise<string[]> {
  const differing = async (commit: string): Promise<Set<string>> => {
    await view.git(['read-tree', '--reset', commit], { signal });
    await view.git(['update-index', '-q', '--refresh'], { signal, okCodes: [0, 1] });
    const text = await view.git(['diff-files', '--name-only', '-z', '--ignore-submodules=all'], { signal });
    return new Set(text.split('\0').filter((path) => path !== ''));
  };
  const fromOld = await differing(old);
  const ofOld = new Set((await view.git(['ls-files', '-z'], { signal })).split('\0'));
  const fromNew = await differing(target);
  const others = [...fromNew].filter((path) => fromOld.has(path) || !ofOld.has(path));
  const there = await Promise.all(others.map(async (path) => isFile(join(folder, path))));
  return others.filter((_path, index) => there[index]);
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isFile();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

async function copyAside({ folder, aside }: CutPull, path: string): Promise<void> {
  const place = join(aside, path);
  await mkdir(dirname(place), { recursive: true });
  await cp(join(folder, path), place, { dereference: false, verbatimSymlinks: true });
}
