import { join } from 'node:path';
import type { MergedRepo } from '../git/merge-frames.ts';
import type { WalledDesk } from './attempt-desk.ts';
import { limited, somePaths } from './conflict-result.ts';
import { failedWork, type WorkResult } from './work-result.ts';

type Blocked = Extract<MergedRepo, { readonly kind: 'blocked' }>;

const PATH_CHARS = 1_000;

/**
 * The result of a merge that a repository within the worktree is in the way of: no commit could hold it, so that it was
 * not pinned as what else lies uncommitted. It is set aside when the worktrees go back to where the merge began.
 */
export function blockedResult({ request }: WalledDesk, { repo, obstacles }: Blocked): WorkResult {
  const branch = request.repos.find(({ name }) => name === repo)?.defaultBranch ?? 'the default branch';
  const paths = somePaths(obstacles.map(({ path }) => path));
  const repositories = [...new Set(obstacles.map(({ repository }) => repository))];
  const [subject, verb] =
    repositories.length === 1
      ? ['a repository lies in the worktree at', 'is']
      : ['repositories lie in the worktree at', 'are'];
  const aside = join(request.runFolder, '.takt', 'set-aside', repo);
  const sentence =
    `${repo}: ${branch} of upstream brings ${paths}, and ${subject} ${somePaths(repositories)}, which no commit holds. ` +
    `What is in the way ${verb} set aside in ${aside}: commit what you need of it, ` +
    `then \`takt run retry ${request.workspace}/${request.runNumber} --from ${request.step}\`.`;
  const findings = obstacles.map(({ path, repository }) => ({
    severity: 'error' as const,
    message: `upstream has it, and the repository ${somePaths([repository])} in the worktree is in the way`,
    repo,
    file: path.slice(0, PATH_CHARS),
  }));
  const failed = failedWork({ class: 'git', sentence });
  return { ...failed, result: { verdict: 'failed', summary: sentence, findings: limited(findings) } };
}
