import { compareAndSwapBranch, refCommit } from '../../../git/refs.ts';
import { pushedRefs } from '../../../git/released-refs.ts';
import { type BesideUpstream, besideUpstreamBranch } from '../../../git/upstream-branch.ts';
import {
  type BranchForward,
  dropBranchForward,
  openBranchForwards,
  planBranchForward,
} from '../../../store/branch-forwards.ts';
import { activeRuns } from '../../../store/runs.ts';
import { rootOf } from '../../../store/roots.ts';
import { advanceSeenRef, seenRef } from '../../../store/seen-refs.ts';
import { recordUpstreamHead } from '../../../store/upstream-heads.ts';
import { commit, type ServiceParts } from '../../parts.ts';

type TakeInParts = Pick<ServiceParts, 'bus' | 'database' | 'layout'>;

/** What became of upstream's commits on a workspace's branch. */
export type TakenIn =
  /** Upstream has none that ours lacks. */
  | { readonly kind: 'none' }
  /** `under` are the numbers of runs that work on what the branch was before. */
  | { readonly kind: 'taken'; readonly commits: number; readonly under: readonly number[] }
  /** Both have commits, so that somebody has to merge. */
  | { readonly kind: 'apart'; readonly beside: BesideUpstream }
  /** Somebody pushed or landed in that moment. */
  | { readonly kind: 'moved' };

/**
 * Brings a workspace's branch in a root repo forward to upstream's of the same name, where ours has nothing of its own.
 * The move is written down first, and settled in one transaction with what was seen: so it triggers no run. A run that
 * works meanwhile finds the branch moved when it lands, as after a push.
 */
export async function takeInUpstream(
  parts: TakeInParts,
  { repo, branch }: Pick<BranchForward, 'repo' | 'branch'>,
  { signal, checkRefs }: { readonly signal: AbortSignal; readonly checkRefs: (repo: string) => Promise<void> },
): Promise<TakenIn> {
  const rootFolder = parts.layout.root(repo);
  const beside = await besideUpstreamBranch({
    rootFolder,
    branch,
    pushedRefs: pushedRefs(rootOf(parts.database, repo)),
    signal,
  });
  if (beside === null || beside.behind === 0) return { kind: 'none' };
  if (beside.ahead > 0) return { kind: 'apart', beside };
  const forward: BranchForward = { repo, branch, old: beside.ours, new: beside.theirs };
  planBranchForward(parts.database, forward);
  try {
    const outcome = await compareAndSwapBranch(rootFolder, branch, forward.old, forward.new, { signal });
    if (outcome === 'foreign') return { kind: 'moved' };
    settle(parts, forward);
    const under = activeRuns(parts.database, branch).map(({ number }) => number);
    return { kind: 'taken', commits: beside.behind, under };
  } finally {
    dropBranchForward(parts.database, repo, branch);
    // What was noticed meanwhile was taken for this move.
    if (seenRef(parts.database, repo, branch) !== forward.new) await checkRefs(repo);
  }
}

/** Settles what a crash left half-done; before anybody compares the branches. */
export async function settleBranchForwards(parts: TakeInParts, signal: AbortSignal): Promise<void> {
  for (const forward of openBranchForwards(parts.database)) {
    const now = await refCommit(parts.layout.root(forward.repo), `refs/heads/${forward.branch}`, { signal });
    if (now === forward.new) settle(parts, forward);
    else dropBranchForward(parts.database, forward.repo, forward.branch);
  }
}

/** A push that came before and was not seen yet stays news: what was seen moves on only from where the branch was. */
function settle(parts: TakeInParts, { repo, branch, old, new: theirs }: BranchForward): void {
  const { database } = parts;
  const data = { repo, branch, commit: theirs };
  commit(parts, [{ topic: 'branch.update', workspace: branch, data }], () => {
    advanceSeenRef(database, repo, branch, old, theirs);
    recordUpstreamHead(database, { repo, branch, commit: theirs, atMs: Date.now() });
    dropBranchForward(database, repo, branch);
  });
}
