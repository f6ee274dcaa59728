import { z } from 'zod';
import { RepoName } from '../ids.ts';
import { defineOperation } from '../operation.ts';
import { Repo, RepoSummary } from '../repo.ts';

export const repoAdd = defineOperation({
  name: 'repo.add',
  summary: 'Mirrors an upstream repository into a root repo.',
  details:
    'The upstream is a URL as git takes it, or the path of a repository on this machine. A clone that you work in is adopted: its own upstream becomes that of the repo, a fork that it pushes to becomes where branches are pushed, what it has already is not fetched again, and the clone stays as it is. ' +
    'Nothing is kept if the upstream cannot be read whole.',
  examples: [
    { line: 'takt repo add app git@github.com:acme/app.git', does: 'mirrors a repository on GitHub' },
    { line: 'takt repo add app ~/src/app --depends-on lib', does: 'mirrors what your clone came from; it needs `lib`' },
    { line: 'takt repo add app ~/src/app --remote upstream', does: 'takes another remote of the clone than origin' },
    {
      line: 'takt repo add app https://github.com/acme/app.git --push-url git@github.com:ada/app.git',
      does: 'pushes to a fork',
    },
  ],
  kind: 'job',
  http: { method: 'POST', path: '/api/repos' },
  command: { words: ['repo', 'add'], positionals: ['name', 'upstream'] },
  entities: { upstream: 'file', dependsOn: 'repo' },
  params: z.strictObject({
    name: RepoName.describe('short name, also the folder name'),
    upstream: z.string().min(1).max(2000).describe('URL, or path of a repository or of your clone'),
    pushUrl: z
      .string()
      .min(1)
      .max(2000)
      .optional()
      .describe('where branches are pushed to, such as a fork; of a clone: instead of where it pushes to'),
    defaultBranch: z.string().min(1).max(200).optional().describe('default branch; found out if left out'),
    dependsOn: z.array(RepoName).default([]).describe('repos that this one needs'),
    setup: z.string().max(4000).optional().describe('shell command that prepares a fresh worktree'),
    copy: z.array(z.string()).default([]).describe('untracked files that a fresh worktree needs, such as .env'),
    cache: z.array(z.string()).default([]).describe('folders kept between runs, such as node_modules'),
    remote: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe('of a clone: the remote that is the upstream; origin, or its only one'),
    asUpstream: z
      .boolean()
      .default(false)
      .describe('of a clone: take it as the upstream itself, whatever its remotes are'),
  }),
  reply: Repo,
});

export const repoList = defineOperation({
  name: 'repo.list',
  summary: 'Lists the root repos.',
  examples: [{ line: 'takt repo list --json', does: 'prints them as JSON' }],
  http: { method: 'GET', path: '/api/repos' },
  command: { words: ['repo', 'list'], positionals: [] },
  who: 'anyone',
  params: z.strictObject({}),
  reply: z.object({ repos: z.array(RepoSummary) }),
});

export const repoShow = defineOperation({
  name: 'repo.show',
  summary: 'Shows one root repo: branches, size, settings, last fetch.',
  examples: [{ line: 'takt repo show app', does: 'shows the repo `app`' }],
  http: { method: 'GET', path: '/api/repos/:repo' },
  command: { words: ['repo', 'show'], positionals: ['repo'] },
  entities: { repo: 'repo' },
  who: 'anyone',
  params: z.strictObject({ repo: RepoName }),
  reply: Repo,
});

/** What a fetch did to one repo; `fault` is null if it went well. */
export const FetchResult = z.object({
  repo: RepoName,
  changed: z.number().int(),
  fault: z.object({ code: z.string(), message: z.string(), hint: z.string() }).nullable(),
});
export type FetchResult = z.infer<typeof FetchResult>;

export const repoFetch = defineOperation({
  name: 'repo.fetch',
  summary: 'Fetches root repos from upstream; the default branch follows by fast-forward.',
  examples: [
    { line: 'takt repo fetch app lib', does: 'fetches two repos' },
    { line: 'takt repo fetch --all', does: 'fetches every repo, several at a time' },
  ],
  kind: 'job',
  http: { method: 'POST', path: '/api/fetches' },
  command: { words: ['repo', 'fetch'], positionals: ['repos'] },
  entities: { repos: 'repo' },
  params: z.strictObject({
    repos: z.array(RepoName).default([]).describe('which repos'),
    all: z.boolean().default(false).describe('every repo'),
  }),
  reply: z.object({ results: z.array(FetchResult) }),
});

export const repoRemove = defineOperation({
  name: 'repo.remove',
  summary: 'Removes a root repo that no workspace uses.',
  details: 'Branches that upstream lacks are named first, and only --force removes them too.',
  examples: [{ line: 'takt repo remove app', does: 'removes the mirror; upstream is not touched' }],
  http: { method: 'DELETE', path: '/api/repos/:repo' },
  command: { words: ['repo', 'remove'], positionals: ['repo'] },
  entities: { repo: 'repo' },
  isDangerous: true,
  params: z.strictObject({
    repo: RepoName,
    force: z.boolean().default(false).describe('also when it holds unreleased work'),
  }),
  reply: z.object({ removed: RepoName }),
});
