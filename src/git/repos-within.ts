import { readdir, realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { readUntrustedFile } from '../platform/files.ts';
import { asText, at, type BytePath } from './byte-paths.ts';
import { type GitFolders, gitFoldersOf } from './clone-files.ts';

/** A git repository, or a further work tree of one, that lies somewhere in a clone's folder. */
export interface RepoWithin {
  /** Below the clone. */
  readonly path: BytePath;
  /** Null for a bare one. */
  readonly workTree: string | null;
  /** Null if they are where takt does not look: outside of the clone, or by a name that is not UTF-8. */
  readonly gitFolders: GitFolders | null;
  /** False if a part of it lies in the clone's own git folder, so that it cannot be moved alone. */
  readonly isApart: boolean;
}

/**
 * How many folders are looked into. Those near the top come first; what lies behind so many is not found, since a
 * deletion has to end, and a person's repositories are not among the hundred thousands of folders of a build.
 */
const FOLDERS_LIMIT = 200_000;
/** Folders that programs fill, with tens of thousands of their own; repositories that somebody linked lie near the top. */
const FILLED_BY_PROGRAMS = new Set(['node_modules', '.venv', 'venv', '__pycache__', '.gradle', '.tox', 'Pods']);
const DEPTH_IN_THOSE = 3;
const POINTER_LIMIT_BYTES = 5000;

interface Place {
  readonly path: BytePath;
  /** How many levels more are looked at. */
  readonly depth: number;
}

/** All repositories in a clone's folder but the clone itself: nested ones, ignored or not, submodules, linked work trees. */
export async function reposWithin(folder: string): Promise<RepoWithin[]> {
  const found: RepoWithin[] = [];
  const places: Place[] = [{ path: '', depth: Infinity }];
  for (let next = 0; next < places.length && next < FOLDERS_LIMIT; next++) {
    const place = places[next]!;
    const entries = await entriesIn(at(folder, place.path));
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const names = new Set(entries.map(({ name }) => name));
    if (place.path !== '' && isGitFolder(names, folders)) {
      found.push(bare(folder, place.path));
      continue;
    }
    if (names.has('.git') && place.path !== '') {
      const repo = await withGit(folder, place.path, folders.includes('.git'));
      if (repo !== null) found.push(repo);
    }
    for (const name of folders) {
      // Of a git folder, only what it keeps of submodules: those may have no work tree any more.
      const inside = below(place.path, name === '.git' ? '.git/modules' : name);
      const depth = FILLED_BY_PROGRAMS.has(name) ? Math.min(place.depth, DEPTH_IN_THOSE) : place.depth - 1;
      if (depth > 0) places.push({ path: inside, depth });
    }
  }
  return found;
}

const below = (path: BytePath, name: BytePath): BytePath => (path === '' ? name : `${path}/${name}`);
const isGitFolder = (names: ReadonlySet<string>, folders: readonly string[]): boolean =>
  names.has('HEAD') && folders.includes('objects') && folders.includes('refs');
const isUtf8 = (path: BytePath): boolean => Buffer.from(asText(path)).equals(Buffer.from(path, 'latin1'));

function bare(folder: string, path: BytePath): RepoWithin {
  const gitFolder = join(folder, asText(path));
  return {
    path,
    workTree: null,
    gitFolders: isUtf8(path) ? { own: gitFolder, shared: gitFolder } : null,
    isApart: !/(^|\/)\.git\//.test(path),
  };
}

/** What a `.git` makes of the folder that it is in; null for one that is empty or the like. */
async function withGit(folder: string, path: BytePath, isFolder: boolean): Promise<RepoWithin | null> {
  const workTree = join(folder, asText(path));
  if (!isUtf8(path)) return { path, workTree, gitFolders: null, isApart: isFolder };
  if (!isFolder) return { path, workTree, gitFolders: await foldersNamed(folder, workTree), isApart: false };
  const own = gitFoldersOf(workTree);
  const parts = (await entriesIn(Buffer.from(own.own))).map(({ name }) => name);
  const isRepo = ['HEAD', 'objects', 'refs'].some((part) => parts.includes(part));
  return isRepo ? { path, workTree, gitFolders: own, isApart: true } : null;
}

/** Those that a `.git` file names, if they are those of a submodule or linked work tree of the clone's. */
async function foldersNamed(clone: string, workTree: string): Promise<GitFolders | null> {
  const text = (await readUntrustedFile(join(workTree, '.git'), POINTER_LIMIT_BYTES))?.toString('utf8');
  const named = /^gitdir: (.+?)[\r\n]*$/.exec(text ?? '')?.[1];
  if (named === undefined) return null;
  const real = await realpath(resolve(workTree, named)).catch(() => null);
  const within = real === null ? '' : relative(await realpath(clone), real);
  const own = join(clone, within);
  if (within.startsWith('.git/modules/')) return { own, shared: own };
  return dirname(within) === '.git/worktrees' ? { own, shared: join(clone, '.git') } : null;
}

async function entriesIn(folder: Buffer): Promise<{ name: string; isDirectory(): boolean }[]> {
  try {
    return await readdir(folder, { withFileTypes: true, encoding: 'latin1' });
  } catch (error) {
    // One that may not be read cannot be deleted either.
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
