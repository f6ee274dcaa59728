import type { Run } from '../../contract/run.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { shellWord } from '../../git/shell-word.ts';

type Pin = Pick<Run['pins'][number], 'repo' | 'commit' | 'what'>;

/** A shell command that shows what is pinned, from any folder; the root repo hides its pins from clones. */
export function lookCommand(layout: HomeLayout, { repo, commit, what }: Pin): string {
  const git = `git -C ${shellWord(layout.root(repo))}`;
  return what === 'others' ? `${git} log --graph --oneline --max-count=50 ${commit}` : `${git} show --stat ${commit}`;
}

/**
 * A shell command that brings pinned work into a workspace's clone, from any folder: commits are merged, uncommitted
 * work becomes uncommitted work again, and other branches get a branch of their own. It fetches by the commit's id, as
 * a clone sees no pins.
 */
export function takeCommand(
  layout: HomeLayout,
  workspace: string,
  { repo, commit, what }: Pin,
  isRelated = true,
): string {
  const clone = `git -C ${shellWord(layout.clone(workspace, repo))}`;
  const fetch = `${clone} fetch ${shellWord(layout.root(repo))} ${commit}`;
  switch (what) {
    case 'head':
      return `${fetch} && ${clone} merge --no-edit${isRelated ? '' : ' --allow-unrelated-histories'} FETCH_HEAD`;
    case 'leftover':
      return `${fetch} && ${clone} merge --squash FETCH_HEAD`;
    case 'others':
      return `${fetch} && ${clone} branch kept-${commit.slice(0, 12)} FETCH_HEAD`;
  }
}

/** How a workspace's branch that is gone from a root repo comes back. */
export function branchBackHint(layout: HomeLayout, workspace: string, repo: string): string {
  const clone = shellWord(layout.clone(workspace, repo));
  return `\`git -C ${clone} push origin HEAD:refs/heads/${shellWord(workspace)}\` brings it back from the workspace’s clone.`;
}
