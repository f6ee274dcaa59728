import type { CommitId } from '../contract/ids.ts';
import { borrowingFrom } from './clone.ts';
import { isPlainRefName, type CloneRefs } from './clone-files.ts';
import { gitResult } from './git.ts';
import { readRefs } from './refs.ts';
import { RELEASED } from './released-refs.ts';

/** Something that holds commits in a clone. */
export interface Tip {
  /** As it may be part of a ref of ours. */
  readonly name: string;
  /** As the beginning of a sentence. */
  readonly what: string;
  /** A tag may have an object of its own. */
  readonly commit: CommitId;
}

/** All that holds commits in git folders. */
export function tipsOf(refs: CloneRefs): Tip[] {
  const named = (of: ReadonlyMap<string, CommitId>, prefix: string, what: (name: string) => string): Tip[] =>
    [...of].map(([name, commit], index) => ({
      name: isPlainRefName(name) ? `${prefix}${name}` : `unnamed/${prefix}${index}`,
      what: what(name),
      commit,
    }));
  const isDetached = refs.branch === null && refs.head !== null;
  return [
    ...named(refs.branches, 'branches/', (name) => `The branch ${name}`),
    ...refs.stashes.map((commit, index) => ({ name: `stashes/${index}`, what: 'The stash', commit })),
    ...(isDetached ? [{ name: 'head', what: 'The detached HEAD', commit: refs.head }] : []),
    ...named(refs.others, '', (name) => (name.startsWith('tags/') ? `The tag ${name.slice(5)}` : `refs/${name}`)),
    ...named(refs.worktreeHeads, 'worktrees/', (name) => `The detached HEAD of the linked work tree ${name}`),
  ];
}

/** The tips in a clone with commits that no branch or tag of the root repo has. */
export async function unpushedTips(
  p: { readonly folder: string; readonly rootFolder: string; readonly signal: AbortSignal },
  refs: CloneRefs,
): Promise<Tip[]> {
  // A clone got its tags from the root repo, and there may be thousands.
  const tags = new Set((await readRefs(p.rootFolder, 'refs/tags/', p)).values());
  const unpushed: Tip[] = [];
  for (const tip of tipsOf(refs)) {
    if (!tags.has(tip.commit) && (await isUnpushed(p, tip))) unpushed.push(tip);
  }
  return unpushed;
}

async function isUnpushed(p: Parameters<typeof unpushedTips>[0], { commit }: Tip): Promise<boolean> {
  const args = ['rev-list', '--max-count=1', commit, '--not', '--branches', '--tags', ...RELEASED];
  const result = await gitResult(p.rootFolder, args, { signal: p.signal, env: borrowingFrom(p.folder) });
  // A tip whose commits are nowhere to be read holds nothing that could be kept; it is named, and cannot be pinned.
  if (result.exitCode !== 0 || result.stdout.length > 0) return true;
  // A tag that says something is an object of its own, which may be made here while its commit is not.
  return (await gitResult(p.rootFolder, ['cat-file', '-e', commit], p)).exitCode !== 0;
}
