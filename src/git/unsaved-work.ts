import { writeFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Fault } from '../contract/faults.ts';
import type { CommitId } from '../contract/ids.ts';
import { asText } from './byte-paths.ts';
import { changedFiles } from './clone.ts';
import { cloneObstacle, readCloneRefs } from './clone-files.ts';
import { openCloneView } from './clone-view.ts';
import { commitChanges } from './commit-changes.ts';
import { fetchChecked } from './fetch-checked.ts';
import { git } from './git.ts';
import { isHeldByAny } from './history.ts';
import type { Person } from './person.ts';
import { isMerged } from './merged-work.ts';
import { pinCommits, readRefs, refCommit } from './refs.ts';
import { RELEASED } from './released-refs.ts';
import { reposWithWork } from './repos-with-work.ts';
import { UPSTREAM_REFS } from './root-repo.ts';
import { unpushedTips } from './unpushed-tips.ts';

const SHOWN_PATHS = 3;
const SHOWN_REPOS = 20;

export interface Pin {
  readonly ref: string;
  readonly commit: CommitId;
}

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
  try {
    return [...(await onlyInClone(p)), ...unreleased];
  } catch (error) {
    if (!(error instanceof Fault && error.code === 'GIT_FAILED')) throw error;
    return [`The clone cannot be read, so nobody knows what it holds. ${error.detail ?? error.message}`, ...unreleased];
  }
}

async function onlyInClone(p: Place): Promise<string[]> {
  const sentences: string[] = [];
  const refs = await readCloneRefs(p.folder);
  const repos = (await reposWithWork(p)).map(({ path }) => asText(path));
  const changed = await changedFiles({ ...p, head: refs.head, hidden: 'shown' });
  const files = changed.filter((path) => !repos.includes(path.replace(/\/$/, '')));
  if (files.length > 0)
    sentences.push(`${countOf(files.length, 'file is', 'files are')} changed or untracked: ${shownPaths(files)}.`);
  for (const { what, commit } of await unpushedTips(p, refs))
    sentences.push(`${what} has commits that were not pushed (${commit.slice(0, 10)}).`);
  if (repos.length > 0) {
    const count = countOf(repos.length, 'repository', 'repositories');
    sentences.push(`${count} within the clone may hold what is nowhere else: ${shownPaths(repos, SHOWN_REPOS)}.`);
  }
  return sentences;
}

/**
 * Pins in the root repo, below `refPrefix`, what `unsavedWork` would name of a clone: uncommitted and untracked files
 * as one commit, what is staged and not in the files as another, unpushed branches, tags, stashes and detached HEADs,
 * and the root repo's branch. Ignored files and repositories within the clone are not pinned. A clone that cannot be
 * read gives the root's branch only.
 */
export async function pinCloneWork(p: Place & { readonly refPrefix: string; readonly author: Person }): Promise<Pin[]> {
  const onRoot = await refCommit(p.rootFolder, `refs/heads/${p.branch}`, p);
  if (onRoot !== null && (await countUnreleased(p)) > 0)
    await pinCommits(p.rootFolder, [{ ref: `${p.refPrefix}/branch`, commit: onRoot }], p);
  if ((await cloneObstacle(p.folder)) === null) await pinFromClone(p);
  return pinsBelow(p.refPrefix, p);
}

/** What was pinned below a prefix. */
export async function pinsBelow(
  refPrefix: string,
  p: { readonly rootFolder: string; readonly signal: AbortSignal },
): Promise<Pin[]> {
  const pins = await readRefs(p.rootFolder, `${refPrefix}/`, p);
  return [...pins].map(([name, commit]) => ({ ref: `${refPrefix}/${name}`, commit }));
}

async function pinFromClone(p: Place & { readonly refPrefix: string; readonly author: Person }): Promise<void> {
  const refs = await readCloneRefs(p.folder);
  const tips = await unpushedTips(p, refs);
  const isDirty = (await changedFiles({ ...p, head: refs.head, hidden: 'shown' })).length > 0;
  if (tips.length === 0 && !isDirty) return;
  await using view = await openCloneView({ ...p, head: refs.head });
  const pins = tips.map(({ name, commit }) => ({ name, commit: commit as string }));
  if (isDirty) pins.push(...(await commitChanges(view, refs.head, p)));
  for (const { name, commit } of pins) {
    const file = join(view.gitFolder, 'refs', 'pins', name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `${commit}\n`);
  }
  await fetchChecked(p.rootFolder, view.gitFolder, [`+refs/pins/*:${p.refPrefix}/*`], p);
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
export function shownPaths(paths: readonly string[], limit = SHOWN_PATHS): string {
  const more = paths.length - limit;
  return more > 0 ? `${paths.slice(0, limit).join(', ')} and ${more} more` : paths.join(', ');
}
