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
  /** What somebody is in the middle of, such as `a merge`; null if nothing. */
  readonly underway: string | null;
}

const REF_LIMIT_BYTES = 1024;
const PACKED_LIMIT_BYTES = 64 * 1024 * 1024;
const LOG_LIMIT_BYTES = 4 * 1024 * 1024;
const BRANCH_LIMIT = 10_000;
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

/** Why a clone's folder cannot be looked at, or null if it can. `missing` if there is none. */
export async function cloneObstacle(folder: string): Promise<'missing' | { readonly why: string } | null> {
  const kind = await kindOf(folder);
  if (kind === 'none') return 'missing';
  if (kind !== 'folder') return { why: `${folder} is a ${kind} and no folder.` };
  for (const part of ['.git', '.git/objects', '.git/refs']) {
    const found = await kindOf(join(folder, part));
    if (found !== 'folder')
      return { why: found === 'none' ? `It has no ${part}.` : `Its ${part} is a ${found} and no folder.` };
  }
  // git would wait for ever for the other end of a pipe.
  for (const part of ['.git/index', '.git/objects/info/alternates']) {
    const found = await kindOf(join(folder, part));
    if (found !== 'file' && found !== 'none') return { why: `Its ${part} is a ${found} and no file.` };
  }
  return null;
}

/** Reads the refs of a clone whose folder has no obstacle. */
export async function readCloneRefs(folder: string): Promise<CloneRefs> {
  const gitFolder = join(folder, '.git');
  const branches = await readPackedBranches(gitFolder);
  await readLooseBranches(join(gitFolder, 'refs', 'heads'), '', branches, DEPTH_LIMIT);
  const headText = await readText(join(gitFolder, 'HEAD'), REF_LIMIT_BYTES);
  const [, branch = null] = /^ref: refs\/heads\/(\S+)$/.exec(headText) ?? [];
  const detached = CommitId.safeParse(headText).data ?? null;
  const underway = await Promise.all(
    UNDERWAY.map(async ([name, what]) => ((await kindOf(join(gitFolder, name))) === 'none' ? null : what)),
  );
  return {
    branch,
    head: branch === null ? detached : (branches.get(branch) ?? null),
    branches,
    stashes: await readStashes(gitFolder),
    underway: underway.find((what) => what !== null) ?? null,
  };
}

/** True if a name read from a clone can be used as part of a ref of ours. */
export function isPlainRefName(name: string): boolean {
  return (
    /^[A-Za-z0-9_][A-Za-z0-9_./+-]*$/.test(name) &&
    !/\.\.|\/\/|\.lock(\/|$)|\/\.|\.$|\/$|\.\//.test(name) &&
    name.length <= 200
  );
}

async function readLooseBranches(
  folder: string,
  prefix: string,
  into: Map<string, CommitId>,
  depth: number,
): Promise<void> {
  if (depth === 0 || (await kindOf(folder)) !== 'folder') return;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (into.size >= BRANCH_LIMIT) return;
    const name = `${prefix}${entry.name}`;
    if (entry.isDirectory()) await readLooseBranches(join(folder, entry.name), `${name}/`, into, depth - 1);
    else if (!entry.name.endsWith('.lock')) {
      const commit = CommitId.safeParse(await readText(join(folder, entry.name), REF_LIMIT_BYTES)).data;
      if (commit !== undefined) into.set(name, commit);
    }
  }
}

async function readPackedBranches(gitFolder: string): Promise<Map<string, CommitId>> {
  const packed = await readText(join(gitFolder, 'packed-refs'), PACKED_LIMIT_BYTES);
  const matches = packed.matchAll(/^([0-9a-f]{40}) refs\/heads\/(\S+)$/gm);
  return new Map([...matches].slice(0, BRANCH_LIMIT).map(([, commit, name]) => [name!, CommitId.parse(commit)]));
}

/** Older stashes are in the log only: each line has the commit as its second word. */
async function readStashes(gitFolder: string): Promise<CommitId[]> {
  const log = await readText(join(gitFolder, 'logs', 'refs', 'stash'), LOG_LIMIT_BYTES);
  const newest = await readText(join(gitFolder, 'refs', 'stash'), REF_LIMIT_BYTES);
  const commits = [...log.matchAll(/^[0-9a-f]{40} ([0-9a-f]{40}) /gm)].map(([, commit]) => commit!);
  return [...new Set([...commits, newest])].flatMap((commit) => CommitId.safeParse(commit).data ?? []);
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
