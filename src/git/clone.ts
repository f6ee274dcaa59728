import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Fault } from '../contract/faults.ts';
import type { CloneStatus, RepoRole } from '../contract/workspace.ts';
import { isThere } from '../platform/files.ts';
import { cloneObstacle, type GitFolders, readCloneRefs } from './clone-files.ts';
import { openCloneView } from './clone-view.ts';
import { excludePatterns } from './exclude.ts';
import { git, quietEnvironment } from './git.ts';
import { forgetPromises } from './hidden-changes.ts';
import { countApart } from './history.ts';
import type { Person } from './person.ts';
import { progressReader, type OnProgress } from './progress.ts';
import { refCommit } from './refs.ts';
import { RELEASED } from './released-refs.ts';
import { besideUpstreamBranch } from './upstream-branch.ts';

/** A clone's standing, without its names. `why` says what is broken. */
export type CloneStanding = Omit<CloneStatus, 'repo' | 'role' | 'folder'>;

const REMOVE_TRIES = 5;
/** A folder that holds a pipe or a huge file must not hold up who asks. */
const LOOK_LIMIT_MS = 60_000;

/**
 * Makes a workspace clone: its own objects (hard links where the disk allows it), the branch checked out, `origin` the
 * root repo. `exclude` are paths within it that its status shall not show, such as guidance and copied files. The
 * branch has to exist in the root repo; `commit` is where the caller saw it. Nothing stays if it fails. Faults:
 * CLONE_BROKEN if the folder is there already, BRANCH_MISSING.
 */
export async function createClone(p: {
  readonly rootFolder: string;
  readonly folder: string;
  readonly branch: string;
  readonly commit: string;
  readonly role: RepoRole;
  readonly author?: Person;
  readonly exclude: readonly string[];
  readonly signal: AbortSignal;
  readonly onProgress?: OnProgress;
}): Promise<void> {
  if (await isThere(p.folder))
    throw new Fault('CLONE_BROKEN', `${p.folder} is there already.`, { hint: 'Move that folder away, then repeat.' });
  await mkdir(dirname(p.folder), { recursive: true });
  const person =
    p.author === undefined ? [] : ['-c', `user.name=${p.author.name}`, '-c', `user.email=${p.author.email}`];
  // `-c` after `clone` is written into the new clone: a plain `git push` sends the branch under its own name to the root
  // repo, whatever a user has set for other remotes, and unsigned, since a root repo asks for no signatures.
  const args = [
    'clone',
    '--local',
    '--progress',
    '--template=',
    '--origin=origin',
    '--no-recurse-submodules',
    '-c',
    'push.default=current',
    '-c',
    'push.gpgSign=false',
    '-c',
    'remote.pushDefault=origin',
    ...person,
  ];
  try {
    await git(dirname(p.folder), [...args, `--branch=${p.branch}`, '--', p.rootFolder, p.folder], {
      signal: p.signal,
      // Files in Git LFS are not in the root repo; their pointers are checked out.
      env: { ...quietEnvironment(), GIT_LFS_SKIP_SMUDGE: '1' },
      onStderr: progressReader(p.onProgress),
    });
    await mkdir(join(p.folder, '.git', 'info'), { recursive: true });
    await writeFile(join(p.folder, '.git', 'info', 'exclude'), excludePatterns(p.exclude));
  } catch (error) {
    await rm(p.folder, { recursive: true, force: true, maxRetries: REMOVE_TRIES, retryDelay: 100 });
    if (p.signal.aborted || (await refCommit(p.rootFolder, `refs/heads/${p.branch}`, p)) !== null) throw error;
    throw new Fault('BRANCH_MISSING', `The root repo ${p.rootFolder} has no branch ${p.branch}.`, { cause: error });
  }
}

/**
 * How a clone stands beside its root repo and upstream. Reads the folder as text and through a view of takt's own, so
 * that nothing in it is run.
 */
export async function cloneStatus(p: {
  readonly folder: string;
  readonly rootFolder: string;
  readonly branch: string;
  readonly defaultBranch: string;
  readonly role: RepoRole;
  /** Where the root repo keeps the branches that are pushed to; those of upstream if left out. */
  readonly pushedRefs?: string;
  readonly signal: AbortSignal;
}): Promise<CloneStanding> {
  const root = await refCommit(p.rootFolder, `refs/heads/${p.branch}`, p);
  const [beside, released] = await Promise.all([besideDefault(p, root), besideUpstream(p, root)]);
  const rootSide = { root, ...beside, ...released };
  const nothing = { branch: null, head: null, dirty: 0, unpushed: 0, unpulled: 0 };
  const obstacle = await cloneObstacle(p.folder);
  if (obstacle === 'missing') return { state: 'missing', ...nothing, ...rootSide };
  if (obstacle !== null) return { state: 'broken', why: obstacle.why, ...nothing, ...rootSide };
  const refs = await readCloneRefs(p.folder);
  const signal = AbortSignal.any([p.signal, AbortSignal.timeout(LOOK_LIMIT_MS)]);
  try {
    const [files, counts] = await Promise.all([
      changedFiles({ ...p, head: refs.head, signal }),
      besideRoot({ ...p, signal }, refs.head, root),
    ]);
    return { state: 'ok', branch: refs.branch, head: refs.head, dirty: files.length, ...counts, ...rootSide };
  } catch (error) {
    if (p.signal.aborted || !(error instanceof Fault || signal.aborted)) throw error;
    const why =
      error instanceof Fault ? (error.detail ?? error.message) : `It was not read within ${LOOK_LIMIT_MS / 1000} s.`;
    return { state: 'broken', why, ...nothing, ...rootSide };
  }
}

/**
 * Paths that are changed or untracked in a clone's work tree, folders of untracked files as one. Files that git was told
 * to take for unchanged are such, unless `hidden` is to be shown.
 */
export async function changedFiles(p: {
  readonly folder: string;
  readonly rootFolder: string;
  readonly head: string | null;
  readonly signal: AbortSignal;
  readonly untracked?: 'no';
  readonly hidden?: 'shown';
  readonly gitFolders?: GitFolders;
}): Promise<string[]> {
  await using view = await openCloneView(p);
  if (p.hidden === 'shown') await forgetPromises(view, p);
  const args = [
    'status',
    '--porcelain=v1',
    '-z',
    '--no-renames',
    '--ignore-submodules=all',
    `--untracked-files=${p.untracked ?? 'normal'}`,
  ];
  const entries = (await view.git(args, { signal: p.signal })).split('\0');
  return entries.filter((entry) => entry !== '').map((entry) => entry.slice(3));
}

/** Runs a question about a clone's commits in the root repo, which borrows the clone's objects for it. */
export function borrowingFrom(folder: string): Record<string, string> {
  return {
    ...quietEnvironment(),
    GIT_ALTERNATE_OBJECT_DIRECTORIES: `"${join(folder, '.git', 'objects').replace(/["\\]/g, '\\$&')}"`,
  };
}

async function besideDefault(
  p: { rootFolder: string; defaultBranch: string; signal: AbortSignal },
  root: string | null,
): Promise<{ ahead: number; behind: number }> {
  const trunk = await refCommit(p.rootFolder, `refs/heads/${p.defaultBranch}`, p);
  if (root === null || trunk === null) return { ahead: 0, behind: 0 };
  const { left, right } = await countApart(p.rootFolder, root, trunk, p);
  return { ahead: left, behind: right };
}

async function besideUpstream(
  p: { rootFolder: string; branch: string; role: RepoRole; pushedRefs?: string; signal: AbortSignal },
  root: string | null,
): Promise<{ unreleased: number; behindUpstream: number; isDivergedFromUpstream: boolean }> {
  if (root === null || p.role === 'read') return { unreleased: 0, behindUpstream: 0, isDivergedFromUpstream: false };
  const [unreleased, beside] = await Promise.all([
    git(p.rootFolder, ['rev-list', '--count', root, '--not', ...RELEASED], p),
    besideUpstreamBranch(p),
  ]);
  const behindUpstream = beside?.behind ?? 0;
  return { unreleased: Number(unreleased), behindUpstream, isDivergedFromUpstream: behindUpstream > 0 };
}

async function besideRoot(
  p: { folder: string; rootFolder: string; signal: AbortSignal },
  head: string | null,
  root: string | null,
): Promise<{ unpushed: number; unpulled: number }> {
  const options = { signal: p.signal, env: borrowingFrom(p.folder) };
  const count = async (has: string, lacks: readonly string[]): Promise<number> =>
    Number(await git(p.rootFolder, ['rev-list', '--count', has, '--not', ...lacks], options));
  const [unpushed, unpulled] = await Promise.all([
    head === null ? 0 : count(head, ['--branches', '--tags', ...RELEASED]),
    root === null ? 0 : count(root, head === null ? [] : [head]),
  ]);
  return { unpushed, unpulled };
}
