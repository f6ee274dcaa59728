import { writeFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CommitId } from '../contract/ids.ts';
import { borrowingFrom, changedFiles } from './clone.ts';
import { cloneObstacle, isPlainRefName, readCloneRefs, type CloneRefs } from './clone-files.ts';
import { openCloneView, type CloneView } from './clone-view.ts';
import { fetchChecked } from './fetch-checked.ts';
import { git, gitResult } from './git.ts';
import { commitEnvironment, isHeldByAny } from './history.ts';
import type { Person } from './person.ts';
import { isMerged } from './merged-work.ts';
import { pinCommits, readRefs, refCommit } from './refs.ts';
import { RELEASED } from './released-refs.ts';
import { UPSTREAM_REFS } from './root-repo.ts';

const SHOWN_PATHS = 3;

interface Place {
  readonly folder: string;
  readonly rootFolder: string;
  readonly branch: string;
  readonly defaultBranch: string;
  /** Upstream's branch as it was recorded last; null: absent. */
  readonly upstreamHead: string | null;
  /** Commits that were merged upstream, whatever became of them there. */
  readonly mergedHeads?: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * What would be lost with a clone and its branch in the root repo: one sentence each, none if it may go. Work is safe
 * when it is on upstream or the fork under any branch, or merged into upstream's default branch, a squash merge included.
 */
export async function unsavedWork(p: Place): Promise<string[]> {
  const count = await countUnreleased(p);
  const unreleased =
    count === 0
      ? []
      : [`The branch ${p.branch} has ${countOf(count, 'commit', 'commits')} neither on upstream nor merged there.`];
  const obstacle = await cloneObstacle(p.folder);
  if (obstacle === 'missing') return unreleased;
  if (obstacle !== null)
    return [`The clone cannot be read, so nobody knows what it holds. ${obstacle.why}`, ...unreleased];
  const refs = await readCloneRefs(p.folder);
  const files = await changedFiles({ ...p, head: refs.head });
  const dirty =
    files.length === 0
      ? []
      : [`${countOf(files.length, 'file is', 'files are')} changed or untracked: ${shownPaths(files)}.`];
  const unpushed: string[] = [];
  for (const { what, commit } of await unpushedTips(p, refs))
    unpushed.push(`${what} has commits that were not pushed (${commit.slice(0, 10)}).`);
  return [...dirty, ...unpushed, ...unreleased];
}

/**
 * Pins in the root repo, below `refPrefix`, all that `unsavedWork` would name of a clone: uncommitted and untracked
 * files as one commit, unpushed branches, stashes, a detached HEAD, and the root repo's branch. Ignored files and the
 * insides of repositories within the work tree are not pinned. A clone that cannot be read gives the root's branch
 * only.
 */
export async function pinCloneWork(
  p: Place & { readonly refPrefix: string; readonly author: Person },
): Promise<{ ref: string; commit: CommitId }[]> {
  const onRoot = await refCommit(p.rootFolder, `refs/heads/${p.branch}`, p);
  if (onRoot !== null && (await countUnreleased(p)) > 0)
    await pinCommits(p.rootFolder, [{ ref: `${p.refPrefix}/branch`, commit: onRoot }], p);
  if ((await cloneObstacle(p.folder)) === null) await pinFromClone(p);
  const pins = await readRefs(p.rootFolder, `${p.refPrefix}/`, p);
  return [...pins].map(([name, commit]) => ({ ref: `${p.refPrefix}/${name}`, commit }));
}

async function pinFromClone(p: Place & { readonly refPrefix: string; readonly author: Person }): Promise<void> {
  const refs = await readCloneRefs(p.folder);
  const tips = await unpushedTips(p, refs);
  const isDirty = (await changedFiles({ ...p, head: refs.head })).length > 0;
  if (tips.length === 0 && !isDirty) return;
  await using view = await openCloneView({ ...p, head: refs.head });
  const pins = tips.map(({ name, commit }) => ({ name, commit: commit as string }));
  if (isDirty) pins.push({ name: 'uncommitted', commit: await commitFiles(view, refs.head, p) });
  for (const { name, commit } of pins) {
    const file = join(view.gitFolder, 'refs', 'pins', name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `${commit}\n`);
  }
  await fetchChecked(p.rootFolder, view.gitFolder, [`+refs/pins/*:${p.refPrefix}/*`], p);
}

/** Commits the files as they are, beside the branch, but for repositories within: git would make submodules of them. */
async function commitFiles(
  view: CloneView,
  head: CommitId | null,
  p: Place & { readonly author: Person },
): Promise<string> {
  const { signal } = p;
  // `--sparse`, since somebody may have changed what a sparse checkout leaves out as well.
  await view.git(['add', '--update', '--sparse', '--ignore-errors', '--', '.'], { signal, okCodes: [0, 1] });
  const untracked = (await view.git(['ls-files', '--others', '--exclude-standard', '-z'], { signal })).split('\0');
  const files = untracked.filter((name) => name !== '' && !name.endsWith('/'));
  await view.git(['update-index', '--add', '-z', '--stdin'], {
    signal,
    input: files.map((name) => `${name}\0`).join(''),
  });
  const tree = (await view.git(['write-tree'], { signal })).trim();
  const parent = head === null ? [] : ['-p', head];
  const input = `Uncommitted work on ${p.branch}\n\nPinned by takt before the clone was deleted.\n`;
  return (
    await view.git(['commit-tree', tree, ...parent, '-F', '-'], { signal, input, more: commitEnvironment(p.author) })
  ).trim();
}

/** The tips in a clone with commits that no branch or tag of the root repo has. */
async function unpushedTips(p: Place, refs: CloneRefs): Promise<{ name: string; what: string; commit: CommitId }[]> {
  const tips = [...refs.branches].map(([branch, commit], index) => ({
    name: isPlainRefName(branch) ? `branches/${branch}` : `unnamed/${index}`,
    what: `The branch ${branch}`,
    commit,
  }));
  refs.stashes.forEach((commit, index) => tips.push({ name: `stashes/${index}`, what: 'The stash', commit }));
  if (refs.branch === null && refs.head !== null)
    tips.push({ name: 'head', what: 'The detached HEAD', commit: refs.head });
  const unpushed: typeof tips = [];
  for (const tip of tips) {
    const args = ['rev-list', '--max-count=1', tip.commit, '--not', '--branches', '--tags', ...RELEASED];
    const result = await gitResult(p.rootFolder, args, { signal: p.signal, env: borrowingFrom(p.folder) });
    // A tip whose commits are nowhere to be read holds nothing that could be kept; it is named, and cannot be pinned.
    if (result.exitCode !== 0 || result.stdout.length > 0) unpushed.push(tip);
  }
  return unpushed;
}

/** How many commits of the branch in the root repo are neither on upstream nor merged there. */
async function countUnreleased(p: Place): Promise<number> {
  const tip = await refCommit(p.rootFolder, `refs/heads/${p.branch}`, p);
  if (tip === null || p.branch === p.defaultBranch) return 0;
  if (await isHeldByAny(p.rootFolder, tip, [p.upstreamHead, ...(p.mergedHeads ?? [])], p)) return 0;
  const count = Number(await git(p.rootFolder, ['rev-list', '--count', tip, '--not', ...RELEASED], p));
  if (count === 0) return 0;
  const trunk =
    (await refCommit(p.rootFolder, UPSTREAM_REFS + p.defaultBranch, p)) ??
    (await refCommit(p.rootFolder, `refs/heads/${p.defaultBranch}`, p));
  return trunk !== null && (await isMerged(p.rootFolder, tip, trunk, p)) ? 0 : count;
}

function countOf(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** The first few of them, and how many more there are. */
export function shownPaths(paths: readonly string[]): string {
  const more = paths.length - SHOWN_PATHS;
  return more > 0 ? `${paths.slice(0, SHOWN_PATHS).join(', ')} and ${more} more` : paths.join(', ');
}
