import { z } from 'zod';
import { CommitId, RepoName, TimestampMs, WorkspaceName } from './ids.ts';
import { Pipeline } from './pipeline.ts';

export const RepoRole = z.enum(['edit', 'read']);
export type RepoRole = z.infer<typeof RepoRole>;

export const WorkspaceSummary = z.object({
  name: WorkspaceName,
  folder: z.string(),
  repos: z.array(z.object({ name: RepoName, role: RepoRole })),
  steps: z.array(z.string()),
  createdAtMs: TimestampMs,
  /** What it is for, in the operator's words; the first line is the title of pull requests. */
  task: z.string().nullable(),
  /** How its pull requests stand; null if it has none. `merged`: all of them are, so that it may go. */
  pulls: z.enum(['open', 'merged', 'closed']).nullable(),
  latestRun: z.object({ id: z.string(), number: z.number(), state: z.string() }).nullable(),
});
export type WorkspaceSummary = z.infer<typeof WorkspaceSummary>;

/** How one workspace clone stands, read when asked. Counts are commits. */
export const CloneStatus = z.object({
  repo: RepoName,
  role: RepoRole,
  folder: z.string(),
  /** `missing`: the folder is gone. `broken`: git does not read it. */
  state: z.enum(['ok', 'missing', 'broken']),
  /** What is wrong with a broken one. */
  why: z.string().optional(),
  branch: z.string().nullable(),
  head: CommitId.nullable(),
  /** Where the branch stands in the root repo; null if it has none there. */
  root: CommitId.nullable(),
  /** Of the root's branch beside the default branch. */
  ahead: z.number().int(),
  behind: z.number().int(),
  /** Files changed or untracked in the clone. */
  dirty: z.number().int(),
  /** Commits in the clone that the root repo lacks. */
  unpushed: z.number().int(),
  /** Commits in the root repo that the clone lacks. */
  unpulled: z.number().int(),
  /** Commits that upstream lacks; what `takt push` would send. */
  unreleased: z.number().int(),
  /** Commits of upstream's branch of this name that ours lacks. */
  behindUpstream: z.number().int(),
  /** True if there are any. */
  isDivergedFromUpstream: z.boolean(),
});
export type CloneStatus = z.infer<typeof CloneStatus>;

export const Workspace = WorkspaceSummary.extend({
  base: z.string(),
  clones: z.array(CloneStatus),
  pipeline: Pipeline.nullable(),
});
export type Workspace = z.infer<typeof Workspace>;
