import type { CommitId } from '../contract/ids.ts';
import { countApart } from './history.ts';
import { moveRefs, pinCommits, readRefs, refCommit } from './refs.ts';
import { UPSTREAM_REFS } from './root-repo.ts';

interface WorkspaceBranch {
  readonly rootFolder: string;
  readonly branch: string;
  /** Where the root repo keeps the branches that are pushed to: those of a fork, or of upstream if left out. */
  readonly pushedRefs?: string;
  readonly signal: AbortSignal;
}

/** How a workspace's branch stands beside upstream's of the same name, by what was fetched or pushed last. */
export interface BesideUpstream {
  readonly ours: CommitId;
  readonly theirs: CommitId;
  /** Commits that only ours has. */
  readonly ahead: number;
  /** Commits that only upstream's has. */
  readonly behind: number;
}

/** Where a root repo keeps upstream's branch of a workspace; a clone can fetch it under this name. */
export const upstreamBranchRef = (branch: string, pushedRefs = UPSTREAM_REFS): string => pushedRefs + branch;

/** Null where one of the two is absent. */
export async function besideUpstreamBranch(p: WorkspaceBranch): Promise<BesideUpstream | null> {
  const [ours, theirs] = await Promise.all([
    refCommit(p.rootFolder, `refs/heads/${p.branch}`, p),
    refCommit(p.rootFolder, upstreamBranchRef(p.branch, p.pushedRefs), p),
  ]);
  if (ours === null || theirs === null) return null;
  const { left, right } = await countApart(p.rootFolder, ours, theirs, p);
  return { ours, theirs, ahead: left, behind: right };
}

/**
 * Notes where upstream's branch is after a push. What was noted of branches whose names leave no room for it, such as
 * `a/b` beside `a`, goes: upstream cannot have them any more.
 */
export async function noteUpstreamBranch(p: WorkspaceBranch, commit: CommitId): Promise<void> {
  const prefix = p.pushedRefs ?? UPSTREAM_REFS;
  const known = await readRefs(p.rootFolder, prefix, p);
  const isInTheWay = (branch: string): boolean =>
    branch.startsWith(`${p.branch}/`) || p.branch.startsWith(`${branch}/`);
  const stale = [...known].filter(([branch]) => isInTheWay(branch));
  await moveRefs(
    p.rootFolder,
    stale.map(([branch, from]) => ({ ref: prefix + branch, from, to: null })),
    p,
  );
  await pinCommits(p.rootFolder, [{ ref: prefix + p.branch, commit }], p);
}
