import { z } from 'zod';
import { RepoName, WorkspaceName } from '../ids.ts';
import { defineOperation } from '../operation.ts';
import { OpenedPull, PullRequest, PullToOpen } from '../pull-request.ts';

const ofWorkspace = { workspace: 'workspace' } as const;

export const prList = defineOperation({
  name: 'pr.list',
  summary: 'Lists the pull requests of workspaces, in the order in which they are to be merged.',
  details: 'It shows what the service saw last; `takt pr status` looks again.',
  examples: [
    { line: 'takt pr list', does: 'lists those of all workspaces' },
    { line: 'takt pr list feature-auth --json', does: 'prints those of one workspace as JSON' },
  ],
  http: { method: 'GET', path: '/api/pull-requests' },
  command: { words: ['pr', 'list'], positionals: ['workspace'] },
  entities: ofWorkspace,
  who: 'anyone',
  params: z.strictObject({ workspace: WorkspaceName.optional().describe('only those of this workspace') }),
  reply: z.object({ pulls: z.array(PullRequest) }),
});

export const prStatus = defineOperation({
  name: 'pr.status',
  summary: 'Looks at the pull requests of a workspace on GitHub: merged, checks, reviews, comments.',
  examples: [{ line: 'takt pr status feature-auth', does: 'looks, and shows what is there' }],
  http: { method: 'POST', path: '/api/workspaces/:workspace/pull-requests/look' },
  command: { words: ['pr', 'status'], positionals: ['workspace'] },
  entities: ofWorkspace,
  params: z.strictObject({ workspace: WorkspaceName }),
  reply: z.object({
    workspace: WorkspaceName,
    pulls: z.array(PullRequest),
    /** True if all are merged, so that the workspace may go. */
    isMerged: z.boolean(),
  }),
});

export const prOpen = defineOperation({
  name: 'pr.open',
  summary: 'Opens the pull requests of a workspace in a browser.',
  examples: [
    { line: 'takt pr open feature-auth', does: 'opens each in a tab' },
    { line: 'takt pr open feature-auth --print', does: 'only prints the addresses' },
  ],
  kind: 'local',
  http: { method: 'GET', path: '/api/local/pr-open' },
  command: { words: ['pr', 'open'], positionals: ['workspace'] },
  entities: { ...ofWorkspace, repo: 'repo' },
  who: 'anyone',
  params: z.strictObject({
    workspace: WorkspaceName,
    repo: RepoName.optional().describe('only that of this repo'),
    print: z.boolean().default(false).describe('print the addresses and open nothing'),
  }),
  reply: z.unknown(),
});

export const prFeedback = defineOperation({
  name: 'pr.feedback',
  summary: 'Starts a run whose first agent gets the failing checks and the comments of the pull requests.',
  details:
    'It looks at GitHub first. Comments that an earlier run was given are left out; --all takes them in as well. The agent finds the text as a file in its folder.',
  examples: [{ line: 'takt pr feedback feature-auth --wait', does: 'runs the pipeline on what reviewers said' }],
  http: { method: 'POST', path: '/api/workspaces/:workspace/feedback' },
  command: { words: ['pr', 'feedback'], positionals: ['workspace'] },
  entities: ofWorkspace,
  params: z.strictObject({
    workspace: WorkspaceName,
    all: z.boolean().default(false).describe('also comments that an earlier run was given'),
    wait: z.boolean().default(false).describe('wait for the end and show the steps'),
  }),
  reply: z.object({
    run: z.string(),
    number: z.number().int(),
    workspace: WorkspaceName,
    failingChecks: z.number().int(),
    comments: z.number().int(),
  }),
});

/** What `takt pr create` needs to know; the command opens them with the caller's own credentials. */
export const prCreate = defineOperation({
  name: 'pr.create',
  summary: 'Opens a pull request for each changed repo of a workspace, or brings those that are there up to date.',
  details:
    'It shows what would go out and asks, pushes what upstream lacks, and opens one pull request per changed repo with `gh`; each names the others and the order in which they are to be merged. As a step of a pipeline: create_pr.',
  examples: [
    { line: 'takt pr create feature-auth', does: 'pushes and opens pull requests, after asking' },
    { line: 'takt pr create feature-auth --draft --yes', does: 'opens drafts, without asking' },
  ],
  kind: 'local',
  http: { method: 'GET', path: '/api/workspaces/:workspace/pull-requests/plan' },
  command: { words: ['pr', 'create'], positionals: ['workspace'] },
  entities: ofWorkspace,
  isDangerous: true,
  params: z.strictObject({
    workspace: WorkspaceName,
    draft: z.stringbool().or(z.boolean()).optional().describe('as drafts; the setting pull_requests.draft if left out'),
  }),
  reply: z.object({
    workspace: WorkspaceName,
    pulls: z.array(
      PullToOpen.extend({
        upstream: z.string(),
        pushUrl: z.string(),
        rootFolder: z.string(),
        defaultBranch: z.string(),
        dependsOn: z.array(RepoName),
      }),
    ),
  }),
});

/** Has no command: `takt pr create` reports with it what it opened. */
export const prRecord = defineOperation({
  name: 'pr.record',
  summary: 'Records pull requests that were opened or brought up to date.',
  examples: [],
  http: { method: 'POST', path: '/api/workspaces/:workspace/pull-requests' },
  command: { words: [], positionals: [] },
  entities: ofWorkspace,
  params: z.strictObject({ workspace: WorkspaceName, pulls: z.array(OpenedPull).max(200) }),
  reply: z.object({ workspace: WorkspaceName, pulls: z.array(PullRequest) }),
});
