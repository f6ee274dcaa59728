import { z } from 'zod';
import { CommitId, RepoName, RunReference, StepName, WorkspaceName } from '../ids.ts';
import { defineOperation } from '../operation.ts';
import { Run, RunState, RunSummary } from '../run.ts';

const ofRun = { run: 'run' } as const;
const run = RunReference.describe('id, WORKSPACE/NUMBER, or a workspace for its newest run');

export const runList = defineOperation({
  name: 'run.list',
  summary: 'Lists runs, newest first.',
  examples: [{ line: 'takt run list --workspace feature-auth', does: 'lists the runs of one workspace' }],
  http: { method: 'GET', path: '/api/runs' },
  command: { words: ['run', 'list'], positionals: [], shorts: { workspace: 'w' } },
  entities: { workspace: 'workspace' },
  who: 'anyone',
  params: z.strictObject({
    workspace: WorkspaceName.optional(),
    state: RunState.optional().describe('only runs in this state'),
    limit: z.coerce.number().int().min(1).max(500).default(50).describe('at most so many'),
    before: z.string().optional().describe('runs older than the one with this id'),
  }),
  reply: z.object({ runs: z.array(RunSummary) }),
});

export const runShow = defineOperation({
  name: 'run.show',
  summary: 'Shows a run: its steps, why it ended, where its work is, what resumes it.',
  examples: [{ line: 'takt run show feature-auth', does: 'shows the newest run of a workspace' }],
  http: { method: 'GET', path: '/api/runs/:run' },
  command: { words: ['run', 'show'], positionals: ['run'] },
  entities: ofRun,
  who: 'anyone',
  params: z.strictObject({ run }),
  reply: Run,
});

export const runLogs = defineOperation({
  name: 'run.logs',
  summary: 'Prints the output of a run or of one step.',
  details:
    'Over HTTP the body is NDJSON, one output line each (see OutputLine); `after` is a byte offset within one attempt and needs `attempt`.',
  examples: [
    { line: 'takt run logs feature-auth -f', does: 'follows the newest run until it ends' },
    { line: 'takt run logs feature-auth/3 --step test', does: 'prints one step' },
  ],
  kind: 'stream',
  http: { method: 'GET', path: '/api/runs/:run/logs' },
  command: { words: ['run', 'logs'], positionals: ['run'], shorts: { follow: 'f', step: 's' } },
  entities: { run: 'run', step: 'step', attempt: 'attempt' },
  who: 'anyone',
  params: z.strictObject({
    run,
    step: StepName.optional().describe('only this step'),
    attempt: z.string().optional().describe('only this attempt, by id'),
    after: z.coerce.number().int().min(0).default(0).describe('byte offset to go on from; with --attempt'),
    follow: z.stringbool().or(z.boolean()).default(false).describe('go on until the run ends'),
  }),
  reply: z.unknown(),
});

export const DiffOfRepo = z.object({
  repo: RepoName,
  from: CommitId,
  to: CommitId,
  files: z.number().int(),
  insertions: z.number().int(),
  deletions: z.number().int(),
  patch: z.string(),
  isCut: z.boolean(),
  /** Set if the step did not pass, so that `to` is pinned work of it and not the run's. */
  pinnedOf: StepName.optional(),
});

export const runDiff = defineOperation({
  name: 'run.diff',
  summary: 'Shows what a run changed, over all its repos; of one that did not pass, its pinned work too.',
  examples: [{ line: 'takt run diff feature-auth', does: 'prints the patch' }],
  http: { method: 'GET', path: '/api/runs/:run/diff' },
  command: { words: ['run', 'diff'], positionals: ['run'] },
  entities: { run: 'run', repo: 'repo', step: 'step' },
  who: 'anyone',
  params: z.strictObject({
    run,
    repo: RepoName.optional().describe('only this repo'),
    step: StepName.optional().describe('only what this step changed, uncommitted work included'),
  }),
  reply: z.object({ repos: z.array(DiffOfRepo) }),
});

const afterwards = z.object({ run: z.string(), state: RunState, number: z.number().int(), workspace: WorkspaceName });

export const runCancel = defineOperation({
  name: 'run.cancel',
  summary: 'Ends a run; its uncommitted work is pinned.',
  examples: [{ line: 'takt run cancel feature-auth', does: 'ends the newest run of a workspace' }],
  http: { method: 'POST', path: '/api/runs/:run/cancel' },
  command: { words: ['run', 'cancel'], positionals: ['run'] },
  entities: ofRun,
  params: z.strictObject({ run }),
  reply: afterwards,
});

export const runRetry = defineOperation({
  name: 'run.retry',
  summary: 'Goes on with a run that did not pass, from the step that stopped it or from an earlier one.',
  details:
    'Where somebody has brought the workspace’s branch on from what the run holds, such as by a merge that it could not make, the run goes on from there. It waits for a newer run of the workspace that is on its way.',
  examples: [{ line: 'takt run retry feature-auth --from test', does: 'repeats `test` and what follows' }],
  http: { method: 'POST', path: '/api/runs/:run/retry' },
  command: { words: ['run', 'retry'], positionals: ['run'] },
  entities: { run: 'run', from: 'step' },
  params: z.strictObject({
    run,
    from: StepName.optional().describe('first step to repeat'),
    wait: z.boolean().default(false).describe('wait for the end and show the steps'),
  }),
  /** `waitsFor`: number of the newer run that comes first. */
  reply: afterwards.extend({ waitsFor: z.number().int().optional() }),
});

export const runLand = defineOperation({
  name: 'run.land',
  summary: 'Brings pinned commits of a run onto the workspace branch, merging where needed.',
  examples: [{ line: 'takt run land feature-auth/4', does: 'takes in the work of a superseded run' }],
  http: { method: 'POST', path: '/api/runs/:run/land' },
  command: { words: ['run', 'land'], positionals: ['run'] },
  entities: ofRun,
  isDangerous: true,
  params: z.strictObject({ run }),
  reply: z.object({
    run: z.string(),
    repos: z.array(
      z.object({ repo: RepoName, from: CommitId, to: CommitId, how: z.enum(['current', 'fast-forward', 'merge']) }),
    ),
  }),
});

export const runApprove = defineOperation({
  name: 'run.approve',
  summary: 'Lets a waiting run go on, with the commits that it shows.',
  examples: [{ line: 'takt run approve feature-auth', does: 'approves the newest run' }],
  http: { method: 'POST', path: '/api/runs/:run/approve' },
  command: { words: ['run', 'approve'], positionals: ['run'] },
  entities: ofRun,
  isDangerous: true,
  params: z.strictObject({
    run,
    commits: z
      .record(z.string(), CommitId)
      .optional()
      .describe('per repo the commit that was looked at; refused if it is another now'),
    note: z.string().max(2000).optional(),
  }),
  reply: afterwards,
});

export const runReject = defineOperation({
  name: 'run.reject',
  summary: 'Ends a waiting run.',
  examples: [{ line: 'takt run reject feature-auth --note "not this way"', does: 'rejects the newest run' }],
  http: { method: 'POST', path: '/api/runs/:run/reject' },
  command: { words: ['run', 'reject'], positionals: ['run'] },
  entities: ofRun,
  params: z.strictObject({ run, note: z.string().max(2000).optional() }),
  reply: afterwards,
});
