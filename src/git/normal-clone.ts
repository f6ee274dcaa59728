import { stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { Fault } from '../contract/faults.ts';
import { readTextIfThere } from '../platform/files.ts';
import { git } from './git.ts';
import { lackOfObjects } from './upstream.ts';

/** A repository with a work tree, as somebody works in one; takt only reads its files. */
export interface NormalClone {
  /** Its top folder. */
  readonly folder: string;
  /** Where its configuration, refs and objects are; a linked work tree shares that of its main one. */
  readonly gitFolder: string;
  /** The addresses of its remotes by name, as plain git would use them there. */
  readonly remotes: ReadonlyMap<string, string>;
  /** Null if it has all objects of its history. */
  readonly lacks: 'shallow' | 'partial' | null;
}

const GIT_FILE_LIMIT_BYTES = 5000;

/**
 * Reads the clone at a path; null if there is none with a work tree. No git runs in it, and what its configuration
 * includes is not read: a foreign one may name programs. `cwd` is any folder of takt's own.
 * Fault UPSTREAM_MISSING for a `.git` file that leads nowhere.
 */
export async function readClone(
  cwd: string,
  path: string,
  options: { signal: AbortSignal },
): Promise<NormalClone | null> {
  const folder = resolve(path);
  const gitFolder = await gitFolderOf(folder);
  if (gitFolder === null) return null;
  const values = await readConfig(cwd, join(gitFolder, 'config'), options);
  const rewrite = rewriterOf(values);
  const remotes = new Map<string, string>();
  for (const [key, value] of values) {
    const name = /^remote\.(.+)\.url$/s.exec(key)?.[1];
    // The first address is the one that is fetched from.
    if (name !== undefined && value !== '' && !remotes.has(name))
      remotes.set(name, wholeAddress(rewrite(value), topFolder(folder, gitFolder)));
  }
  return { folder, gitFolder, remotes, lacks: await lackOfObjects(cwd, gitFolder, options) };
}

/** `.git` is a folder, or a file that names one: of a linked work tree, a submodule, or a git folder kept elsewhere. */
async function gitFolderOf(folder: string): Promise<string | null> {
  const place = join(folder, '.git');
  const text = (await isFolder(place)) ? undefined : await readGitFile(place);
  if (text === null) return null;
  const named = text === undefined ? place : resolve(folder, text);
  if (text !== undefined && !(await isFolder(named)))
    throw new Fault('UPSTREAM_MISSING', `${place} leads to ${named}, and there is no repository.`, {
      hint: '`git worktree repair` or `git submodule update --init` in the repository that it belongs to mends it.',
    });
  const shared = await readTextIfThere(join(named, 'commondir'));
  const gitFolder = shared === undefined ? named : resolve(named, shared.trim());
  return (await isFolder(join(gitFolder, 'objects'))) ? gitFolder : null;
}

/** The path in a `.git` file; null if there is no such file. */
async function readGitFile(place: string): Promise<string | null> {
  try {
    const facts = await stat(place);
    const text = facts.isFile() && facts.size < GIT_FILE_LIMIT_BYTES ? await readTextIfThere(place) : undefined;
    return /^gitdir: (.+?)\n?$/.exec(text ?? '')?.[1] ?? null;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}

/** Keys as git writes them, section and variable in small letters; a key may come more than once. */
async function readConfig(cwd: string, file: string, options: { signal: AbortSignal }): Promise<[string, string][]> {
  const pattern = '^(remote\\..*\\.url|url\\..*\\.insteadof)$';
  const args = ['config', '--file', file, '--no-includes', '-z', '--get-regexp', pattern];
  const text = await git(cwd, args, { ...options, okCodes: [0, 1] });
  return text
    .split('\0')
    .filter((entry) => entry.includes('\n'))
    .map((entry) => [entry.slice(0, entry.indexOf('\n')), entry.slice(entry.indexOf('\n') + 1)]);
}

/** `url.<base>.insteadOf` of the clone itself; the longest beginning that fits counts. That of the user is git's to apply. */
function rewriterOf(values: readonly [string, string][]): (address: string) => string {
  const rules = values
    .flatMap(([key, prefix]) => {
      const stem = /^url\.(.*)\.insteadof$/s.exec(key)?.[1];
      return stem === undefined || prefix === '' ? [] : [{ stem, prefix }];
    })
    .toSorted((one, other) => other.prefix.length - one.prefix.length);
  return (address) => {
    const rule = rules.find(({ prefix }) => address.startsWith(prefix));
    return rule === undefined ? address : rule.stem + address.slice(rule.prefix.length);
  };
}

/** git takes an address without a colon before its first slash for a path, and follows a relative one from the top. */
function wholeAddress(address: string, top: string): string {
  const colon = address.indexOf(':');
  const slash = address.indexOf('/');
  const isPath = colon === -1 || (slash !== -1 && slash < colon);
  return isPath && !isAbsolute(address) && !address.startsWith('~') ? resolve(top, address) : address;
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
