import { z } from 'zod';
import { BranchName, CommitId, RepoName, WorkspaceName } from '../ids.ts';
import { KeptWork } from '../kept-work.ts';
import { defineOperation } from '../operation.ts';
import { Workspace, WorkspaceSummary } from '../workspace.ts';
import { FetchResult } from './repo.ts';

const Task = z.string().max(20_000);
const ofWorkspace = { workspace: 'workspace' } as const;

export const workspaceCreate = defineOperation({
  name: 'workspace.create',
  summary: 'Makes a workspace: one branch, cloned from each repo named.',
  details: 'All or nothing: if one repo cannot be cloned, none stays.',
  examples: [
    {
      line: 'takt workspace create feature-auth app lib',
      does: 'makes workspaces/feature-auth with clones of two repos',
    },
    {
      line: 'takt workspace create fix-login app --read lib --from release-2',
      does: 'starts from a branch, with `lib` only to read',
    },
  ],
  kind: 'job',
  http: { method: 'POST', path: '/api/workspaces' },
  command: { words: ['workspace', 'create'], positionals: ['workspace', 'repos'] },
  entities: { repos: 'repo', read: 'repo' },
  params: z.strictObject({
    workspace: WorkspaceName.describe('its name, and that of the branch'),
    repos: z.array(RepoName).min(1).describe('repos that the task changes'),
    read: z.array(RepoName).default([]).describe('repos that the task only reads'),
    from: BranchName.optional().describe('branch to start from; the default branch if left out'),
    adopt: z.boolean().default(false).describe('go on with a branch of this name that exists already'),
    task: Task.optional().describe('what it is for; agents and pull requests get it, the first line as title'),
  }),
  reply: Workspace,
});

export const workspaceList = defineOperation({
  name: 'workspace.list',
  summary: 'Lists the workspaces with their latest run.',
  examples: [{ line: 'takt workspace list', does: 'lists them' }],
  http: { method: 'GET', path: '/api/workspaces' },
  command: { words: ['workspace', 'list'], positionals: [] },
  who: 'anyone',
  params: z.strictObject({}),
  reply: z.object({ workspaces: z.array(WorkspaceSummary) }),
});

export const workspaceShow = defineOperation({
  name: 'workspace.show',
  summary: 'Shows a workspace: per repo what is ahead, behind, dirty, unpushed, diverged.',
  examples: [{ line: 'takt workspace show feature-auth', does: 'shows it' }],
  http: { method: 'GET', path: '/api/workspaces/:workspace' },
  command: { words: ['workspace', 'show'], positionals: ['workspace'] },
  entities: ofWorkspace,
  who: 'anyone',
  params: z.strictObject({ workspace: WorkspaceName }),
  reply: Workspace,
});

export const workspaceAddRepo = defineOperation({
  name: 'workspace.add-repo',
  summary: 'Adds repos to a workspace.',
  examples: [{ line: 'takt workspace add-repo feature-auth docs', does: 'clones `docs` into it' }],
  kind: 'job',
  http: { method: 'POST', path: '/api/workspaces/:workspace/repos' },
  command: { words: ['workspace', 'add-repo'], positionals: ['workspace', 'repos'] },
  entities: { workspace: 'workspace', repos: 'repo', read: 'repo' },
  params: z.strictObject({
    workspace: WorkspaceName,
    repos: z.array(RepoName).default([]).describe('repos that the task changes'),
    read: z.array(RepoName).default([]).describe('repos that the task only reads'),
    from: BranchName.optional(),
    adopt: z.boolean().default(false),
  }),
  reply: Workspace,
});

export const workspaceRemoveRepo = defineOperation({
  name: 'workspace.remove-repo',
  summary: 'Takes a repo out of a workspace; work that is nowhere else stops it.',
  examples: [{ line: 'takt workspace remove-repo feature-auth docs', does: 'removes that clone' }],
  http: { method: 'DELETE', path: '/api/workspaces/:workspace/repos/:repo' },
  command: { words: ['workspace', 'remove-repo'], positionals: ['workspace', 'repo'] },
  entities: { workspace: 'workspace', repo: 'repo' },
  isDangerous: true,
  params: z.strictObject({
    workspace: WorkspaceName,
    repo: RepoName,
    force: z.boolean().default(false).describe('keep unsaved work elsewhere and remove it all the same'),
  }),
  reply: Workspace.extend(KeptWork.shape),
});

export const PullResult = z.object({
  repo: RepoName,
  state: z.enum(['current', 'pulled', 'refused']),
  from: CommitId.nullable(),
  to: CommitId.nullable(),
  why: z.string().nullable(),
  /** How many commits of upstream's branch came in. */
  taken: z.number().int(),
  /** Shell commands that do by hand what was refused. */
  commands: z.array(z.string()).optional(),
  /** Why upstream could not be asked; then it is about what was fetched before. */
  fault: FetchResult.shape.fault,
});
export type PullResult = z.infer<typeof PullResult>;

export const workspacePull = defineOperation({
  name: 'workspace.pull',
  summary: 'Brings upstream’s and landed commits into the workspace clones, by fast-forward only.',
  details:
    'It fetches first. Where upstream’s branch of the workspace has commits that ours lacks, such as a reviewer’s, the root repo’s branch follows it, which starts no run; where both have commits of their own, it prints the commands that merge them.',
  examples: [
    { line: 'takt workspace pull feature-auth', does: 'moves each clone to what upstream has and the pipeline landed' },
    { line: 'takt workspace pull feature-auth --no-fetch', does: 'the same by what was fetched before' },
  ],
  kind: 'job',
  http: { method: 'POST', path: '/api/workspaces/:workspace/pull' },
  command: { words: ['workspace', 'pull'], positionals: ['workspace'] },
  entities: ofWorkspace,
  params: z.strictObject({
    workspace: WorkspaceName,
    fetch: z.boolean().default(true).describe('do not ask upstream'),
  }),
  reply: z.object({ results: z.array(PullResult) }),
});

export const workspaceDelete = defineOperation({
  name: 'workspace.delete',
  summary: 'Deletes a workspace whose work is saved elsewhere.',
  details:
    'Uncommitted, unpushed or unmerged work stops it, and so do files of yours beside the clones. With --force that work is pinned in the root repos first or, where no commit of them can hold it, moved to `.state/aside`; the reply names the refs and places.',
  examples: [{ line: 'takt workspace delete feature-auth', does: 'deletes clones and branch once all is merged' }],
  http: { method: 'DELETE', path: '/api/workspaces/:workspace' },
  command: { words: ['workspace', 'delete'], positionals: ['workspace'] },
  entities: ofWorkspace,
  isDangerous: true,
  params: z.strictObject({
    workspace: WorkspaceName,
    force: z.boolean().default(false).describe('keep unsaved work elsewhere and delete all the same'),
  }),
  reply: z.object({
    deleted: WorkspaceName,
    ...KeptWork.shape,
    /** Addresses of pull requests that stay open; takt watches them no more. */
    openPulls: z.array(z.string()),
  }),
});

export const workspaceTaskSet = defineOperation({
  name: 'workspace.task-set',
  summary: 'Says what a workspace is for; agents and pull requests get it.',
  details: 'The first line is the title of pull requests, all of it is part of CLAUDE.md. An empty text takes it away.',
  examples: [
    { line: 'takt workspace task-set feature-auth "Log in with a second factor"', does: 'sets it' },
    { line: 'takt workspace task-set feature-auth --file task.md', does: 'sets what the file says' },
  ],
  http: { method: 'PUT', path: '/api/workspaces/:workspace/task' },
  command: { words: ['workspace', 'task-set'], positionals: ['workspace', 'text'] },
  entities: { ...ofWorkspace, file: 'file' },
  params: z.strictObject({
    workspace: WorkspaceName,
    text: Task.optional().describe('the task'),
    file: z.string().optional().describe('file with the task; - is standard input'),
  }),
  reply: WorkspaceSummary,
});

export const workspaceTrigger = defineOperation({
  name: 'workspace.trigger',
  summary: 'Starts a run of the pipeline on what the root repos hold now.',
  details: 'With --wait the exit code is 0 if it passed, 1 if it failed, 3 if it waits for an approval.',
  examples: [{ line: 'takt workspace trigger feature-auth --wait', does: 'runs and waits for the end' }],
  http: { method: 'POST', path: '/api/workspaces/:workspace/runs' },
  command: { words: ['workspace', 'trigger'], positionals: ['workspace'] },
  entities: ofWorkspace,
  params: z.strictObject({
    workspace: WorkspaceName,
    note: z.string().max(200).optional().describe('why, for the list'),
    wait: z.boolean().default(false).describe('wait for the end and show the steps'),
  }),
  reply: z.object({ run: z.string(), number: z.number().int(), workspace: WorkspaceName }),
});
