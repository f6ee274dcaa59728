import { randomBytes } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Fault } from '../contract/faults.ts';
import type { CommitId } from '../contract/ids.ts';
import { isThere, makeFolder, syncFolder } from '../platform/files.ts';
import { contactUpstream } from './contact.ts';
import { git, gitResult, linesOf } from './git.ts';
import { isAncestor } from './history.ts';
import { progressReader, type OnProgress } from './progress.ts';
import { moveRefs, packRefs, readRefs, refCommit } from './refs.ts';
import { furnishRoot } from './root-furniture.ts';
import { askUpstream, refusePartialUpstream, shallow } from './upstream.ts';
import { upstreamFault } from './upstream-fault.ts';

interface FetchSource {
  readonly upstream: string;
  readonly signal: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** Gives objects to a root repo in the making, so that upstream need not send them; a failure costs only time. */
export interface ObjectLender {
  /** Called once, with the root repo while it holds no ref. */
  lend(folder: string): Promise<void>;
  /** Called once upstream was fetched: takes away whatever refs it made. */
  release(folder: string): Promise<void>;
}

/** What became of upstream's default branch: ours follows it, or stays where it is. */
export type DefaultBranchStanding = 'followed' | 'gone' | 'rewritten';

/** Where upstream's branches are kept; clones do not get them. */
export const UPSTREAM_REFS = 'refs/remotes/upstream/';

const HALF_MADE = /^\.new-.+/;
const REMOVE_TRIES = 5;
/** As many files in one of the 256 folders of loose objects mean some 4000 in all. */
const LOOSE_SAMPLE_LIMIT = 16;

/**
 * Mirrors an upstream into a new root repo. It is made beside its place and renamed at the end, so a folder that is
 * there is whole; a crash leaves a `.new-…` folder, which `removeHalfMade` takes away.
 * Faults: REPO_EXISTS, BRANCH_MISSING and UPSTREAM_*. `notices` are sentences about what takt does not follow.
 */
export async function createRoot(
  p: FetchSource & { readonly folder: string; readonly defaultBranch?: string; readonly lender?: ObjectLender },
): Promise<{
  defaultBranch: string;
  head: CommitId;
  notices: string[];
}> {
  if (await isThere(p.folder)) throw new Fault('REPO_EXISTS', `${p.folder} is there already.`);
  const parent = dirname(p.folder);
  await makeFolder(parent);
  await refusePartialUpstream(parent, p.upstream, p);
  const { heads, defaultBranch: found } = await askUpstream(parent, p.upstream, p);
  if (heads.size === 0) throw new Fault('UPSTREAM_EMPTY', `The upstream ${p.upstream} has no branch.`);
  const defaultBranch = p.defaultBranch ?? found;
  if (defaultBranch === null || !heads.has(defaultBranch))
    throw noDefaultBranch(p.upstream, p.defaultBranch, [...heads.keys()]);

  const half = join(parent, `.new-${basename(p.folder)}-${randomBytes(4).toString('hex')}`);
  try {
    await git(parent, ['init', '--quiet', '--bare', '--template=', `--initial-branch=${defaultBranch}`, half], p);
    await furnishRoot(half, { isNew: true });
    await p.lender?.lend(half);
    await fetchRefs(half, p);
    await p.lender?.release(half);
    const head = await refCommit(half, UPSTREAM_REFS + defaultBranch, p);
    // git leaves out, without a failure, the branches whose history the upstream does not have whole.
    if (head === null) throw shallow(p.upstream);
    await moveRefs(half, [{ ref: `refs/heads/${defaultBranch}`, from: null, to: head }], p);
    await packRefs(half, p);
    const { notices } = await repoFacts(half, p);
    await rename(half, p.folder);
    await syncFolder(parent);
    return { defaultBranch, head, notices };
  } finally {
    // The signal may be the reason why we are here; git's own helpers may still be writing for a moment.
    await rm(half, { recursive: true, force: true, maxRetries: REMOVE_TRIES, retryDelay: 100 });
  }
}

/** Removes what a crash left of root repos in the making. Call it while none is being made. */
export async function removeHalfMade(rootsFolder: string): Promise<void> {
  for (const name of await readdir(rootsFolder)) {
    if (HALF_MADE.test(name))
      await rm(join(rootsFolder, name), { recursive: true, force: true, maxRetries: REMOVE_TRIES });
  }
}

/**
 * Fetches upstream's branches and tags. The default branch follows by fast-forward; no other branch moves, so nothing
 * is triggered. `changed` counts upstream branches that came, moved or went. Faults: UPSTREAM_*, ROOT_DAMAGED.
 */
export async function fetchRoot(p: FetchSource & { readonly folder: string; readonly defaultBranch: string }): Promise<{
  changed: number;
  head: CommitId;
  standing: DefaultBranchStanding;
}> {
  if (!(await isThere(join(p.folder, 'HEAD')))) throw new Fault('ROOT_DAMAGED', `${p.folder} is no root repo.`);
  await furnishRoot(p.folder);
  const before = await readRefs(p.folder, UPSTREAM_REFS, p);
  await fetchRefs(p.folder, p);
  const after = await readRefs(p.folder, UPSTREAM_REFS, p);
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => before.get(name) !== after.get(name),
  ).length;
  const { head, standing } = await followDefaultBranch(
    p.folder,
    p.defaultBranch,
    after.get(p.defaultBranch) ?? null,
    p,
  );
  await tidyRoot(p.folder, p);
  return { changed, head, standing };
}

/**
 * Lets what a root repo knows of upstream's default branch follow a commit that was fetched from there by another way,
 * and our own default branch with it. By fast-forward only: what is older, or was rewritten, is for the next fetch to
 * say. True if something moved. Not to be called while a fetch of the same repo is going on.
 */
export async function followUpstream(p: {
  readonly folder: string;
  readonly defaultBranch: string;
  readonly commit: CommitId;
  readonly signal: AbortSignal;
}): Promise<boolean> {
  const ref = UPSTREAM_REFS + p.defaultBranch;
  const before = await refCommit(p.folder, ref, p);
  if (before === p.commit || (before !== null && !(await isAncestor(p.folder, before, p.commit, p)))) return false;
  await moveRefs(p.folder, [{ ref, from: before, to: p.commit }], p);
  await followDefaultBranch(p.folder, p.defaultBranch, p.commit, p);
  return true;
}

/** What a root repo takes on disk, and what of its contents takt does not follow. */
export async function repoFacts(
  folder: string,
  { signal }: { signal: AbortSignal },
): Promise<{ sizeBytes: number; notices: string[] }> {
  const counts = new Map(
    linesOf(await git(folder, ['count-objects', '-v'], { signal })).map((line) => line.split(': ') as [string, string]),
  );
  const sizeBytes = (Number(counts.get('size') ?? 0) + Number(counts.get('size-pack') ?? 0)) * 1024;
  const notices: string[] = [];
  if ((await gitResult(folder, ['cat-file', '-e', 'HEAD:.gitmodules'], { signal })).exitCode === 0) {
    notices.push('It has submodules, which are not checked out.');
  }
  const attributes = await gitResult(
    folder,
    ['grep', '--quiet', 'filter=lfs', 'HEAD', '--', ':(glob)**/.gitattributes'],
    { signal },
  );
  if (attributes.exitCode === 0) notices.push('It keeps files in Git LFS; worktrees get the pointers only.');
  return { sizeBytes, notices };
}

async function fetchRefs(folder: string, p: FetchSource): Promise<void> {
  const isShallow = await isThere(join(folder, 'shallow'));
  const args = [
    '-c',
    'fetch.writeCommitGraph=false',
    'fetch',
    '--progress',
    '--prune',
    '--force',
    '--tags',
    '--no-write-fetch-head',
    '--no-recurse-submodules',
  ];
  if (isShallow) args.push('--unshallow');
  const spec = `+refs/heads/*:${UPSTREAM_REFS}*`;
  const { result, contact } = await contactUpstream(folder, [...args, '--', p.upstream, spec], {
    upstream: p.upstream,
    signal: p.signal,
    onStderr: progressReader(p.onProgress),
  });
  if (result.exitCode === 0) {
    if (await isThere(join(folder, 'shallow'))) throw shallow(p.upstream);
    return;
  }
  const fault = await upstreamFault({ folder, upstream: p.upstream, words: result.stderr, contact, signal: p.signal });
  // Only an upstream that says itself that it cannot go on is damaged; any other end is one of the connection.
  const isBroken = contact.transport.kind !== 'disk' && !contact.hasGivenUp;
  if (fault.code === 'DISK_FULL' || fault.code === 'GIT_FAILED') throw fault;
  if (isBroken && (await isWhole(folder, p))) throw fault;
  await askUpstream(folder, p.upstream, p);
  if (!(await isWhole(folder, p)))
    throw new Fault('ROOT_DAMAGED', `The root repo ${folder} lacks objects.`, { detail: result.stderr.trim() });
  throw new Fault('UPSTREAM_DAMAGED', `The upstream ${p.upstream} does not hand over all of its objects.`, {
    detail: result.stderr.trim(),
  });
}

async function isWhole(folder: string, { signal }: { signal: AbortSignal }): Promise<boolean> {
  const result = await gitResult(folder, ['rev-list', '--quiet', '--objects', '--all'], { signal });
  return result.exitCode === 0;
}

async function followDefaultBranch(
  folder: string,
  branch: string,
  upstreamCommit: CommitId | null,
  { signal }: { signal: AbortSignal },
): Promise<{ head: CommitId; standing: DefaultBranchStanding }> {
  const ref = `refs/heads/${branch}`;
  const ours = await refCommit(folder, ref, { signal });
  if (ours === null && upstreamCommit === null)
    throw new Fault('BRANCH_MISSING', `The default branch ${branch} is gone from upstream.`);
  if (upstreamCommit === null) return { head: ours!, standing: 'gone' };
  if (ours === upstreamCommit) return { head: ours, standing: 'followed' };
  if (ours !== null && !(await isAncestor(folder, ours, upstreamCommit, { signal })))
    return { head: ours, standing: 'rewritten' };
  await moveRefs(folder, [{ ref, from: ours, to: upstreamCommit }], { signal });
  return { head: upstreamCommit, standing: 'followed' };
}

/** Rolls up loose objects, whether anything refers to them or not: this loses nothing, and pruning is not done here. */
async function tidyRoot(folder: string, { signal }: { signal: AbortSignal }): Promise<void> {
  await removeBrokenOff(folder);
  const sample = join(folder, 'objects', '17');
  if (!(await isThere(sample)) || (await readdir(sample)).length < LOOSE_SAMPLE_LIMIT) return;
  await git(folder, ['repack', '--quiet', '-d', '--geometric=2'], { signal });
}

/** No fetch lasts as long as this. */
const BROKEN_OFF_MS = 6 * 60 * 60 * 1000;

/** What transfers left that broke off; git would remove it when it prunes, which is never done here. */
async function removeBrokenOff(folder: string): Promise<void> {
  const packs = join(folder, 'objects', 'pack');
  for (const name of (await readdir(packs)).filter((each) => each.startsWith('tmp_'))) {
    const { mtimeMs } = await stat(join(packs, name));
    if (mtimeMs < Date.now() - BROKEN_OFF_MS) await rm(join(packs, name), { force: true });
  }
}

function noDefaultBranch(upstream: string, wanted: string | undefined, branches: string[]): Fault {
  const some = branches.slice(0, 10).join(', ');
  return wanted === undefined
    ? new Fault('BRANCH_MISSING', `The upstream ${upstream} names no default branch.`, {
        hint: `Name one of its branches: ${some}.`,
      })
    : new Fault('BRANCH_MISSING', `The upstream ${upstream} has no branch ${wanted}.`, { hint: `It has: ${some}.` });
}
