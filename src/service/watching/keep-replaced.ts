import type { CommitId } from '../../contract/ids.ts';
import { isAncestor } from '../../git/history.ts';
import { pinCommits, refCommit } from '../../git/refs.ts';

/** Where commits are pinned that a force push or a deletion took off a branch. */
export const REPLACED_REFS = 'refs/takt/pushed/';
const replacedRef = (branch: string, commit: string): string => `${REPLACED_REFS}${branch}/${commit}`;

/** Pins a commit that a branch no longer holds; does nothing for a plain push. */
export async function keepReplaced(
  rootFolder: string,
  move: { readonly branch: string; readonly from: CommitId | null; readonly to: CommitId | null },
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const { branch, from, to } = move;
  if (from === null || from === to || (await refCommit(rootFolder, from, { signal })) === null) return;
  const isHeld =
    to !== null &&
    (await refCommit(rootFolder, to, { signal })) !== null &&
    (await isAncestor(rootFolder, from, to, { signal }));
  if (!isHeld) await pinCommits(rootFolder, [{ ref: replacedRef(branch, from), commit: from }], { signal });
}
