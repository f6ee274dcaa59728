import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CommitId } from '../../contract/ids.ts';
import { branchNow } from './branch-files.ts';

/** A branch that stands elsewhere than it was seen; null means absent. */
export interface BranchMove {
  readonly repo: string;
  readonly branch: string;
  readonly from: CommitId | null;
  readonly to: CommitId | null;
}

interface Seen {
  readonly repo: string;
  readonly rootFolder: string;
  readonly seen: ReadonlyMap<string, string>;
  /** What was told of branches that `seen` does not have. */
  readonly reported: ReadonlyMap<string, CommitId>;
}

/** The moves of some branches, from their files as they are now. */
export function movesOf(branches: Iterable<string>, { repo, rootFolder, seen, reported }: Seen): BranchMove[] {
  return [...branches].flatMap((branch) => {
    const to = branchNow(rootFolder, branch);
    const from = (seen.get(branch) ?? null) as CommitId | null;
    const isKnown = to === from || (from === null && to !== null && reported.get(branch) === to);
    return to === undefined || isKnown ? [] : [{ repo, branch, from, to }];
  });
}

/**
 * The moves between what was seen and what git listed. A branch that was seen is read once more, in the same breath as
 * the transaction: since git listed it, it may have moved and been seen there, by a push or a landing. Those that went
 * come before those that came, since `x` has to go before there is an `x/y`.
 */
export function movesBetween(p: Seen & { readonly heads: ReadonlyMap<string, CommitId> }): BranchMove[] {
  const moves: BranchMove[] = [];
  for (const [branch, from] of p.seen) {
    const listed = p.heads.get(branch) ?? null;
    if (listed === from) continue;
    const now = branchNow(p.rootFolder, branch);
    // git leaves out a branch whose file a power loss emptied, and all of a repo that is going away: no deletions.
    if (now === undefined && listed === null && !existsSync(join(p.rootFolder, 'reftable'))) continue;
    const to = now === undefined ? listed : now;
    if (to !== from) moves.push({ repo: p.repo, branch, from: from as CommitId, to });
  }
  for (const [branch, commit] of p.heads) {
    if (!p.seen.has(branch) && p.reported.get(branch) !== commit)
      moves.push({ repo: p.repo, branch, from: null, to: commit });
  }
  return moves;
}
