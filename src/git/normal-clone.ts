import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Fault } from '../contract/faults.ts';
import { isThere, readRegularFile } from '../platform/files.ts';
import { cloneRemotes, type CloneRemotes, REMOTE_KEYS } from './clone-remotes.ts';
import { type ConfigValue, foreignConfig, isYes } from './foreign-config.ts';
import { lackOfObjects } from './upstream.ts';

/** A repository with a work tree, as somebody works in one; takt only reads its files. */
export interface NormalClone extends CloneRemotes {
  /** Its top folder. */
  readonly folder: string;
  /** Where its configuration, refs and objects are; a linked work tree shares that of its main one. */
  readonly gitFolder: string;
  /** True if its configuration includes other files, which takt does not read: a remote may be written there. */
  readonly hasIncludes: boolean;
  /** The commit that is checked out without a branch, or null if a branch is. */
  readonly detachedHead: string | null;
  /** True if it names its objects by SHA-256, so that takt has no use for them. */
  readonly usesSha256: boolean;
  /** Null if it has all objects of its history. */
  readonly lacks: 'shallow' | 'partial' | null;
}

interface GitFolders {
  /** The top folder of the work tree. */
  readonly top: string;
  /** That of the work tree itself, with its HEAD. */
  readonly own: string;
  /** The one that all work trees share. */
  readonly shared: string;
}

const GIT_FILE_LIMIT_BYTES = 5000;
const PATTERN = `^(${REMOTE_KEYS}|include\\.path|includeif\\..*\\.path|extensions\\.(worktreeconfig|objectformat))$`;

/**
 * Reads the clone at a path, or the one whose `.git` folder that is; null if there is none with a work tree. No git runs
 * in it, what its configuration includes is not read (a foreign one may name programs), and nothing is waited for.
 * `cwd` is any folder of takt's own. Faults: UPSTREAM_MISSING for a `.git` file that leads nowhere, UPSTREAM_DAMAGED for
 * files that git cannot read either.
 */
export async function readClone(
  cwd: string,
  path: string,
  options: { signal: AbortSignal },
): Promise<NormalClone | null> {
  const folders = await foldersOf(resolve(path));
  if (folders === null) return null;
  const { top: folder, shared: gitFolder } = folders;
  const values = await readConfig(cwd, folders, options);
  return {
    folder,
    gitFolder,
    ...cloneRemotes(values, topFolder(folder, gitFolder)),
    hasIncludes: values.some(([key]) => /^include(if\..*)?\.path$/s.test(key)),
    detachedHead: /^[0-9a-f]{40,64}$/.exec((await textOf(join(folders.own, 'HEAD'))) ?? '')?.[0] ?? null,
    usesSha256: values.some(([key, value]) => key === 'extensions.objectformat' && /^sha256$/i.test(value)),
    lacks: await lackOfObjects(cwd, gitFolder, options),
  };
}

/** `.git` is a folder, or a file that names one: of a linked work tree, a submodule, or a git folder kept elsewhere. */
async function foldersOf(path: string): Promise<GitFolders | null> {
  const top = basename(path) === '.git' && (await isFolder(join(path, 'objects'))) ? dirname(path) : path;
  const place = join(top, '.git');
  const text = (await isFolder(place)) ? undefined : await readGitFile(place);
  if (text === null) return null;
  const own = text === undefined ? place : resolve(top, text);
  if (text !== undefined && !(await isFolder(own)))
    throw new Fault('UPSTREAM_MISSING', `${place} leads to ${own}, and there is no repository.`, {
      hint: '`git worktree repair` or `git submodule update --init` in the repository that it belongs to mends it.',
    });
  const common = join(own, 'commondir');
  const named = await textOf(common);
  if (named === undefined && (await isThere(common)))
    throw new Fault('UPSTREAM_DAMAGED', `${common} is no file, so that git cannot read the clone ${top}.`, {
      hint: 'Take it away: git writes such a file for linked work trees only.',
    });
  const shared = named === undefined ? own : resolve(own, named);
  return (await isFolder(join(shared, 'objects'))) ? { top, own, shared } : null;
}

/** The path in a `.git` file; null if there is no such file. */
async function readGitFile(place: string): Promise<string | null> {
  return /^gitdir: (.+)$/.exec((await textOf(place)) ?? '')?.[1] ?? null;
}

/** A small file of git's, without the line's end; undefined for what is no such file. */
async function textOf(path: string): Promise<string | undefined> {
  return (await readRegularFile(path, GIT_FILE_LIMIT_BYTES))?.toString('utf8').replace(/[\r\n]+$/, '');
}

/** The configuration that all work trees share, then that of the work tree, where the former says that it has one. */
async function readConfig(cwd: string, folders: GitFolders, options: { signal: AbortSignal }): Promise<ConfigValue[]> {
  const shared = await foreignConfig(cwd, { gitFolder: folders.shared, pattern: PATTERN }, options);
  const hasOwn = shared.findLast(([key]) => key === 'extensions.worktreeconfig')?.[1] ?? 'false';
  if (!isYes(hasOwn)) return shared;
  const own = { gitFolder: folders.own, name: 'config.worktree', pattern: PATTERN };
  return [...shared, ...(await foreignConfig(cwd, own, options))];
}

/** A linked work tree may lie anywhere; the addresses were written for the main one. */
function topFolder(folder: string, gitFolder: string): string {
  return basename(gitFolder) === '.git' ? dirname(gitFolder) : folder;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
