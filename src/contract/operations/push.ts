import { z } from 'zod';
import { CommitId, RepoName, WorkspaceName } from '../ids.ts';
import { defineOperation } from '../operation.ts';

/** What would go out of one repo. */
export const PushOfRepo = z.object({
  repo: RepoName,
  rootFolder: z.string(),
  upstream: z.string(),
  /** Where the branch goes: a fork, or else the upstream. Like `upstream`, without a password. */
  pushUrl: z.string(),
  /** The workspace branch's commit in the root repo. */
  commit: CommitId,
  /** What upstream's branch is expected to be; null: absent. */
  expected: CommitId.nullable(),
  commits: z.number().int(),
  subjects: z.array(z.string()),
  state: z.enum(['to_push', 'current', 'unchanged', 'diverged']),
});
export type PushOfRepo = z.infer<typeof PushOfRepo>;

export const push = defineOperation({
  name: 'push.plan',
  summary: 'Pushes a workspace’s branch to upstream: every changed repo, in dependency order.',
  details:
    'It shows what would go out and asks. Your own git credentials are used. A push sends exactly the commits shown, never by force and never to the default branch; after a failure, the same command goes on where it stopped.',
  examples: [
    { line: 'takt push feature-auth', does: 'shows what would go out, asks, and pushes' },
    { line: 'takt push feature-auth --dry-run', does: 'only shows it' },
    { line: 'takt push feature-auth --repos lib,app', does: 'pushes these two repos only' },
  ],
  kind: 'local',
  http: { method: 'GET', path: '/api/workspaces/:workspace/push' },
  command: { words: ['push'], positionals: ['workspace'] },
  entities: { workspace: 'workspace', repos: 'repo' },
  isDangerous: true,
  params: z.strictObject({
    workspace: WorkspaceName,
    repos: z.array(RepoName).default([]).describe('only these repos; all that were changed if left out'),
    dryRun: z.stringbool().or(z.boolean()).default(false).describe('show it and stop'),
  }),
  reply: z.object({ workspace: WorkspaceName, branch: z.string(), repos: z.array(PushOfRepo) }),
});

/** Has no command: `takt push` reports with it what it sent. */
export const pushRecord = defineOperation({
  name: 'push.record',
  summary: 'Records that a branch of upstream is at a commit now.',
  examples: [],
  http: { method: 'POST', path: '/api/workspaces/:workspace/push' },
  command: { words: [], positionals: [] },
  entities: { workspace: 'workspace', repo: 'repo' },
  params: z.strictObject({ workspace: WorkspaceName, repo: RepoName, commit: CommitId }),
  reply: z.object({ repo: RepoName, commit: CommitId }),
});
