import { z } from 'zod';
import { BranchChange } from '../branch-change.ts';
import { RepoName, WorkspaceName } from '../ids.ts';
import { defineOperation } from '../operation.ts';

export const branchWatch = defineOperation({
  name: 'branch.watch',
  summary: 'Prints each change of a branch in the root repos, as it happens.',
  details:
    'It needs no service, disturbs none and writes nothing into the root repos. The file system tells of changes at once; besides, the times of files are looked at every two seconds, and git is asked only where something changed. ' +
    'Repos that are added meanwhile are watched too, and one that cannot be read is told of and left until it can. With --json each change is a line of JSON. ' +
    'With --once it tells what has changed since the last --once and ends; of repos that were there and were not read before it only notes where the branches are. The exit code is 7 if a repo could not be read.',
  examples: [
    { line: 'takt watch', does: 'prints pushes, landings and fetches of all repos until Ctrl-C' },
    { line: 'takt watch app lib --workspace feature-auth --json', does: 'one branch of two repos, as lines of JSON' },
    { line: 'takt watch --once', does: 'what has changed since the last time, for a script or cron' },
  ],
  kind: 'local',
  http: { method: 'GET', path: '/api/local/watch' },
  command: { words: ['watch'], positionals: ['repos'] },
  entities: { repos: 'repo', workspace: 'workspace' },
  params: z.strictObject({
    repos: z.array(RepoName).default([]).describe('which repos; all if left out'),
    workspace: WorkspaceName.optional().describe('only the branch of this workspace'),
    poll: z
      .number()
      .min(0.1)
      .max(86_400)
      .optional()
      .describe('look every so many seconds instead of waiting for the file system, such as for one on the network'),
    once: z.boolean().default(false).describe('tell what has changed since the last --once, and end'),
    reset: z.boolean().default(false).describe('with --once: forget what was seen, and begin anew'),
  }),
  /** Each line of its JSON. */
  reply: BranchChange,
});
