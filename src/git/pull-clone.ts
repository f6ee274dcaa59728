import { lstat, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PullResult } from '../contract/operations/workspace.ts';
import { Fault } from '../contract/faults.ts';
import type { CommitId } from '../contract/ids.ts';
import { asText, type BytePath } from './byte-paths.ts';
import { changedFiles } from './clone.ts';
import { cloneObstacle, readCloneRefs } from './clone-files.ts';
import { openCloneView, type CloneView } from './clone-view.ts';
import { isAncestor } from './history.ts';
import { inTheWay } from './in-the-way.ts';
import { refCommit } from './refs.ts';

type Pulled = Pick<PullResult, 'state' | 'from' | 'to' | 'why'>;

interface Pull {
  readonly folder: string;
  readonly rootFolder: string;
  readonly branch: string;
  /** Called before anything of the clone is touched, with where it goes from and to. */
  readonly onForward?: (from: CommitId, to: CommitId) => void;
  readonly signal: AbortSignal;
}

const SHOWN_FILES = 5;

/**
 * Moves a clone's branch, index and files forward to where the root repo's branch is. Refuses, with the reason and
 * without having changed anything, when files are changed, when something is under way in it, or when it is no
 * fast-forward. No git runs in the clone's own git folder: takt writes the index and the ref itself, by git's own
 * locks.
 */
export async function pullClone(p: Pull): Promise<Pulled> {
  const target = await refCommit(p.rootFolder, `refs/heads/${p.branch}`, p);
  if (target === null) return refused(null, `The root repo has no branch ${p.branch}.`);
  const obstacle = await cloneObstacle(p.folder);
  if (obstacle !== null) return refused(null, obstacle === 'missing' ? 'Its folder is gone.' : obstacle.why);
  const refs = await readCloneRefs(p.folder);
  const { head } = refs;
  if (refs.branch !== p.branch)
    return refused(head, `It is ${refs.branch === null ? 'on no branch' : `on the branch ${refs.branch}`}.`);
  if (head === null) return refused(null, 'Its branch has no commit.');
  if (head === target) return { state: 'current', from: head, to: head, why: null };
  if ((await refCommit(p.rootFolder, head, p)) !== head) return refused(head, 'It has commits that were not pushed.');
  if (await isAncestor(p.rootFolder, target, head, p)) return { state: 'current', from: head, to: head, why: null };
  if (!(await isAncestor(p.rootFolder, head, target, p)))
    return refused(head, 'Its branch and that of the root repo have gone apart.');
  if (refs.underway !== null) return refused(head, `There is ${refs.underway} under way in it.`);
  const changed = await changedFiles({ ...p, head, untracked: 'no' });
  if (changed.length > 0)
    return refused(head, `${changed.length} of its files are changed: ${changed.slice(0, SHOWN_FILES).join(', ')}.`);
  return forward(p, head, target);
}

function refused(from: CommitId | null, why: string): Pulled {
  return { state: 'refused', from, to: null, why };
}

async function forward(p: Pull, head: CommitId, target: CommitId): Promise<Pulled> {
  const gitFolder = join(p.folder, '.git');
  p.onForward?.(head, target);
  const indexLock = await takeLock(gitFolder, 'index');
  if (indexLock === null) return refused(head, 'Another git process works in it (index.lock).');
  const refLock = await takeLock(gitFolder, join('refs', 'heads', ...p.branch.split('/')));
  try {
    if (refLock === null) return refused(head, 'Another git process moves its branch.');
    if ((await readCloneRefs(p.folder)).head !== head) return refused(head, 'Its branch has just moved.');
    await using view = await openCloneView({ ...p, head });
    await bringObjects(view, p);
    const standing = await inTheWay(view, { ...p, from: head, to: target });
    if (standing.length > 0) return refused(head, inTheWayWords(standing));
    try {
      await view.git(['read-tree', '-m', '-u', head, target], { signal: p.signal });
    } catch (error) {
      // It checks all files before it touches the first.
      if (error instanceof Fault && error.code === 'GIT_FAILED') return refused(head, error.detail ?? error.message);
      throw error;
    }
    await indexLock.commit(await readFile(view.index));
    await refLock.commit(`${target}\n`);
    await followOrigin(gitFolder, p.branch, target);
    return { state: 'pulled', from: head, to: target, why: null };
  } finally {
    await indexLock.release();
    await refLock?.release();
  }
}

function inTheWayWords(paths: readonly BytePath[]): string {
  const shown = paths.slice(0, SHOWN_FILES).map(asText).join(', ');
  return `${paths.length} of the files that it has to get would overwrite what git does not track: ${shown}. Move that away first.`;
}

/** Copies what the clone lacks into its own objects, so that it does not depend on the root repo. */
export async function bringObjects(
  view: CloneView,
  p: Pick<Pull, 'folder' | 'rootFolder' | 'branch' | 'signal'>,
): Promise<void> {
  const args = [
    'fetch',
    '--quiet',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-recurse-submodules',
    '--',
    p.rootFolder,
    `refs/heads/${p.branch}`,
  ];
  // The view's own objects would be borrowed ones, which count as there; here the clone's are the only ones.
  const more = { GIT_OBJECT_DIRECTORY: join(p.folder, '.git', 'objects') };
  await view.git(args, { signal: p.signal, more });
}

/** What the clone knows of the root repo. Left alone where it is not a plain file, since nothing depends on it. */
async function followOrigin(gitFolder: string, branch: string, target: CommitId): Promise<void> {
  const lock = await takeLock(gitFolder, join('refs', 'remotes', 'origin', ...branch.split('/')));
  try {
    await lock?.commit(`${target}\n`);
  } finally {
    await lock?.release();
  }
}

interface FileLock {
  commit(content: string | Uint8Array): Promise<void>;
  /** Does nothing after `commit`. */
  release(): Promise<void>;
}

/** Takes git's own lock of a file in a git folder; null if somebody has it, or if a link is on the way there. */
export async function takeLock(gitFolder: string, name: string): Promise<FileLock | null> {
  const path = join(gitFolder, name);
  if (!(await isPlainFolder(gitFolder, dirname(name)))) return null;
  const lock = `${path}.lock`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(lock, 'wx', 0o644);
    let isOpen = true;
    return {
      commit: async (content) => {
        await file.writeFile(content);
        await file.sync();
        await rename(lock, path);
        isOpen = false;
        await file.close();
      },
      release: async () => {
        if (!isOpen) return;
        isOpen = false;
        await file.close();
        await rm(lock, { force: true });
      },
    };
  } catch (error) {
    if (['EEXIST', 'ENOTDIR', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

async function isPlainFolder(top: string, name: string): Promise<boolean> {
  let path = top;
  for (const part of ['', ...name.split('/')]) {
    path = join(path, part);
    try {
      if (!(await lstat(path)).isDirectory()) return false;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
      throw error;
    }
  }
  return true;
}
