import { contactUpstream } from './contact.ts';
import { moveRefs, readRefs } from './refs.ts';
import { FORK_REFS } from './released-refs.ts';
import { askUpstreamBranches } from './upstream.ts';
import { upstreamFault } from './upstream-fault.ts';

/**
 * Brings what the root repo knows of a fork up to date, for the branches named and no others: a fork is only pushed
 * to. Commits are fetched only if something moved. Gives where each branch stands, without those that the fork lacks.
 * Faults: as of `askUpstream`.
 */
export async function fetchFork(p: {
  readonly folder: string;
  readonly pushUrl: string;
  readonly branches: readonly string[];
  readonly signal: AbortSignal;
}): Promise<Map<string, string>> {
  const { folder, pushUrl, branches, signal } = p;
  const now =
    branches.length === 0 ? new Map<string, string>() : await askUpstreamBranches(folder, pushUrl, branches, p);
  const before = await readRefs(folder, FORK_REFS, { signal });
  const moved = [...now].filter(([branch, commit]) => before.get(branch) !== commit).map(([branch]) => branch);
  if (moved.length > 0) await fetchBranches(p, moved);
  await dropForkRefs(folder, (branch) => !now.has(branch), { signal });
  return now;
}

/** Forgets branches of a fork: those that it lacks now, or all once pushes go to upstream again. */
export async function dropForkRefs(
  folder: string,
  isGone: (branch: string) => boolean,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const gone = [...(await readRefs(folder, FORK_REFS, { signal }))].filter(([branch]) => isGone(branch));
  await moveRefs(
    folder,
    gone.map(([branch, from]) => ({ ref: FORK_REFS + branch, from, to: null })),
    { signal },
  );
}

async function fetchBranches(
  { folder, pushUrl, signal }: { folder: string; pushUrl: string; signal: AbortSignal },
  branches: readonly string[],
): Promise<void> {
  const plain = ['--quiet', '--force', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules'];
  const specs = branches.map((branch) => `+refs/heads/${branch}:${FORK_REFS}${branch}`);
  const args = ['-c', 'fetch.writeCommitGraph=false', 'fetch', ...plain, '--', pushUrl, ...specs];
  const { result, contact } = await contactUpstream(folder, args, { upstream: pushUrl, signal });
  if (result.exitCode === 0) return;
  throw await upstreamFault({ folder, upstream: pushUrl, words: result.stderr, contact, signal });
}
