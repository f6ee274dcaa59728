import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface StandInPull {
  readonly number: number;
  readonly headOwner: string;
  readonly headName: string;
  readonly branch: string;
  readonly base: string;
  title: string;
  body: string;
  draft: boolean;
  state: 'open' | 'closed';
  mergedAt: string | null;
  mergeCommit: string | null;
  /** The head's commit when it was merged or closed; an open one's is asked for. */
  head: string | null;
  readonly checks: { name: string; conclusion: string | null; summary: string }[];
  readonly reviews: { id: number; user: string; state: string; body: string; at: string }[];
  readonly comments: { id: number; user: string; body: string; at: string; path?: string; line?: number }[];
}

export interface StandInRepo {
  readonly host: string;
  owner: string;
  name: string;
  /** `owner/name` under which it answers too. */
  readonly oldNames: string[];
  latestNumber: number;
  /** Its bare repository on disk. */
  readonly bare: string;
  readonly pulls: StandInPull[];
  readonly protectedBranches: Set<string>;
  hasDrafts: boolean;
  isArchived: boolean;
}

export async function gitIn(folder: string, ...words: string[]): Promise<string> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: 'GitHub',
    GIT_AUTHOR_EMAIL: 'noreply@example.org',
    GIT_COMMITTER_NAME: 'GitHub',
    GIT_COMMITTER_EMAIL: 'noreply@example.org',
  };
  const { stdout } = await run('git', words, { cwd: folder, env });
  return stdout.trim();
}

export async function commitOf(folder: string, branch: string): Promise<string | null> {
  return gitIn(folder, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}^{commit}`).catch(() => null);
}

/** Merges a pull request as GitHub does: `squash` makes one commit that is no descendant of the branch. */
export async function mergePull(
  repo: StandInRepo,
  pull: StandInPull,
  head: { bare: string },
  how: 'merge' | 'squash',
): Promise<void> {
  const tip = (await commitOf(head.bare, pull.branch))!;
  if (head.bare !== repo.bare) await gitIn(repo.bare, 'fetch', '-q', head.bare, tip);
  const trunk = (await commitOf(repo.bare, pull.base))!;
  const [tree = ''] = (await gitIn(repo.bare, 'merge-tree', '--write-tree', trunk, tip)).split('\n');
  const parents = how === 'squash' ? ['-p', trunk] : ['-p', trunk, '-p', tip];
  const commit = await gitIn(repo.bare, 'commit-tree', tree, ...parents, '-m', `${pull.title} (#${pull.number})`);
  await gitIn(repo.bare, 'update-ref', `refs/heads/${pull.base}`, commit, trunk);
  Object.assign(pull, { state: 'closed', mergedAt: new Date().toISOString(), mergeCommit: commit, head: tip });
}
