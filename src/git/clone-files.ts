import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CommitId } from '../contract/ids.ts';
import { readUntrustedFile } from '../platform/files.ts';

/** The refs of a folder that an agent may have written, read as text; no git runs in it. */
export interface CloneRefs {
  /** The branch that is checked out; null if HEAD is detached. */
  readonly branch: string | null;
  /** Null on a branch without a commit. */
  readonly head: CommitId | null;
  readonly branches: ReadonlyMap<string, CommitId>;
  readonly stashes: readonly CommitId[];
  /** Tags, notes and whatever else keeps commits, by name below `refs/`; a tag may be an object of its own. */
  readonly others: ReadonlyMap<string, CommitId>;
  /** What was fetched of the branches of remotes. */
  readonly remotes: ReadonlyMap<string, CommitId>;
  /** What linked work trees have checked out without a branch, by the names that git gave them. */
  readonly worktreeHeads: ReadonlyMap<string, CommitId>;
  /** What somebody is in the middle of, such as `a merge`; null if nothing. */
  readonly underway: string | null;
}

/** The folders of a repository that git works with. */
export interface GitFolders {
  /** That of the work tree itself, with its HEAD and index. */
  readonly own: string;
  /** The one that all its work trees share, with objects and refs; the same but in a linked one. */
  readonly shared: string;
}

const REF_LIMIT_BYTES = 1024;
const PACKED_LIMIT_BYTES = 64 * 1024 * 1024;
const LOG_LIMIT_BYTES = 4 * 1024 * 1024;
const REFS_LIMIT = 100_000;
const WORKTREES_LIMIT = 1000;
const DEPTH_LIMIT = 10;

const UNDERWAY = [
  ['MERGE_HEAD', 'a merge'],
  ['rebase-merge', 'a rebase'],
  ['rebase-apply', 'a rebase'],
  ['CHERRY_PICK_HEAD', 'a cherry-pick'],
  ['REVERT_HEAD', 'a revert'],
  ['BISECT_LOG', 'a bisection'],
  ['index.lock', 'another git process, or what a crashed one left (index.lock)'],
] as const;

const AUTOSTASHES = ['MERGE_AUTOSTASH', 'rebase-merge/autostash', 'rebase-apply/autostash'];

/** Why a clone's folder cannot be looked at, or null if it can. `missing` if there is none. */
export async function cloneObstacle(folder: string): Promise<'missing' | { readonly why: string } | null> {
  const kind = await kindOf(folder);
  if (kind === 'none') return 'missing';
  if (kind !== 'folder') return { why: `${folder} is a ${kind} and no folder.` };
  return gitObstacle(gitFoldersOf(folder));
}

/** Those of a clone that is no linked work tree. */
export const gitFoldersOf = (folder: string): GitFolders => ({
  own: join(folder, '.git'),
  shared: join(folder, '.git'),
});

/** Why git folders cannot be looked at, or null if they can. */
export async function gitObstacle({ own, shared }: GitFolders): Promise<{ readonly why: string } | null> {
  const folders = [
    ['.git', own],
    ['.git/objects', join(shared, 'objects')],
    ['.git/refs', join(shared, 'refs')],
  ] as const;
  for (const [part, path] of folders) {
    const found = await kindOf(path);
    if (found !== 'folder')
      return { why: found === 'none' ? `It has no ${part}.` : `Its ${part} is a ${found} and no folder.` };
  }
  // git would wait for ever for the other end of a pipe.
  const files = [
    ['.git/index', join(own, 'index')],
    ['.git/objects/info/alternates', join(shared, 'objects', 'info', 'alternates')],
  ] as const;
  for (const [part, path] of files) {
    const found = await kindOf(path);
    if (found !== 'file' && found !== 'none') return { why: `Its ${part} is a ${found} and no file.` };
  }
  return null;
}

/** Reads the refs of a clone whose folder has no obstacle. */
export async function readCloneRefs(folder: string): Promise<CloneRefs> {
  return readGitRefs(gitFoldersOf(folder));
}

/** Reads the refs of git folders that have no obstacle. */
export async function readGitRefs({ own, shared }: GitFolders): Promise<CloneRefs> {
  const refs = await readPackedRefs(shared);
  await readLooseRefs(join(shared, 'refs'), '', refs, DEPTH_LIMIT);
  const branches = below(refs, 'heads/');
  const headText = await readText(join(own, 'HEAD'), REF_LIMIT_BYTES);
  const [, branch = null] = /^ref: refs\/heads\/(\S+)$/.exec(headText) ?? [];
  const detached = CommitId.safeParse(headText).data ?? null;
  const underway = await Promise.all(
    UNDERWAY.map(async ([name, what]) => ((await kindOf(join(own, name))) === 'none' ? null : what)),
  );
  return {
    branch,
    head: branch === null ? detached : (branches.get(branch) ?? null),
    branches,
    stashes: await readStashes({ own, shared }),
    others: new Map([...refs].filter(([name]) => !/^(heads|remotes|prefetch)\/|^stash$/.test(name))),
    remotes: below(refs, 'remotes/'),
    worktreeHeads: await readWorktreeHeads(shared),
    underway: underway.find((what) => what !== null) ?? null,
  };
}

const below = (refs: ReadonlyMap<string, CommitId>, prefix: string): Map<string, CommitId> =>
  new Map([...refs].filter(([name]) => name.startsWith(prefix)).map(([name, at]) => [name.slice(prefix.length), at]));

/** True if a name read from a clone can be used as part of a ref of ours. */
export function isPlainRefName(name: string): boolean {
  return (
    /^[A-Za-z0-9_][A-Za-z0-9_./+-]*$/.test(name) &&
    !/\.\.|\/\/|\.lock(\/|$)|\/\.|\.$|\/$|\.\//.test(name) &&
    name.length <= 200
  );
}

async function readLooseRefs(
  folder: string,
  prefix: string,
  into: Map<string, CommitId>,
  depth: number,
): Promise<void> {
  if (depth === 0 || (await kindOf(folder)) !== 'folder') return;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (into.size >= REFS_LIMIT) return;
    const name = `${prefix}${entry.name}`;
    if (entry.isDirectory()) await readLooseRefs(join(folder, entry.name), `${name}/`, into, depth - 1);
    else if (!entry.name.endsWith('.lock')) {
      const commit = CommitId.safeParse(await readText(join(folder, entry.name), REF_LIMIT_BYTES)).data;
      if (commit !== undefined) into.set(name, commit);
    }
  }
}

async function readPackedRefs(gitFolder: string): Promise<Map<string, CommitId>> {
  const packed = await readText(join(gitFolder, 'packed-refs'), PACKED_LIMIT_BYTES);
  const matches = packed.matchAll(/^([0-9a-f]{40}) refs\/(\S+)$/gm);
  return new Map([...matches].slice(0, REFS_LIMIT).map(([, commit, name]) => [name!, CommitId.parse(commit)]));
}

/**
 * Older stashes are in the log only: each line has the commit as its second word. What a rebase or merge under way has
 * put by is no stash yet.
 */
async function readStashes({ own, shared }: GitFolders): Promise<CommitId[]> {
  const log = await readText(join(shared, 'logs', 'refs', 'stash'), LOG_LIMIT_BYTES);
  const commits = [...log.matchAll(/^[0-9a-f]{40} ([0-9a-f]{40}) /gm)].map(([, commit]) => commit!);
  const files = [join(shared, 'refs', 'stash'), ...AUTOSTASHES.map((name) => join(own, name))];
  for (const file of files) commits.push(await readText(file, REF_LIMIT_BYTES));
  return [...new Set(commits)].flatMap((commit) => CommitId.safeParse(commit).data ?? []);
}

async function readWorktreeHeads(shared: string): Promise<Map<string, CommitId>> {
  const folder = join(shared, 'worktrees');
  const heads = new Map<string, CommitId>();
  if ((await kindOf(folder)) !== 'folder') return heads;
  for (const name of (await readdir(folder)).slice(0, WORKTREES_LIMIT)) {
    const head = CommitId.safeParse(await readText(join(folder, name, 'HEAD'), REF_LIMIT_BYTES)).data;
    if (head !== undefined) heads.set(name, head);
  }
  return heads;
}

async function readText(path: string, limitBytes: number): Promise<string> {
  return (await readUntrustedFile(path, limitBytes))?.toString('utf8').trimEnd() ?? '';
}

async function kindOf(path: string): Promise<'none' | 'folder' | 'file' | 'link' | 'special file'> {
  try {
    const facts = await lstat(path);
    if (facts.isDirectory()) return 'folder';
    if (facts.isSymbolicLink()) return 'link';
    return facts.isFile() ? 'file' : 'special file';
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return 'none';
    throw error;
  }
}
