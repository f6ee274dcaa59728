import { z } from 'zod';
import { CommitId, RepoName, TimestampMs, WorkspaceName } from './ids.ts';

/** A repository on GitHub, or on a GitHub Enterprise host. */
export const GithubPlace = z.object({ host: z.string().min(1), owner: z.string().min(1), name: z.string().min(1) });
export type GithubPlace = z.infer<typeof GithubPlace>;

/** A pull request that a step is to open, or to bring up to date. Its text leaves a place for the links to the others. */
export const PullToOpen = z.object({
  repo: RepoName,
  commit: CommitId,
  title: z.string().min(1).max(256),
  text: z.string().max(60_000),
  isDraft: z.boolean(),
});
export type PullToOpen = z.infer<typeof PullToOpen>;

/** A pull request as it stood when it was opened or brought up to date. */
export const OpenedPull = z.object({
  repo: RepoName,
  place: GithubPlace,
  number: z.number().int().positive(),
  url: z.string(),
  title: z.string(),
  /** The branch that it is to be merged into. */
  base: z.string(),
  head: CommitId,
  isDraft: z.boolean(),
  state: z.enum(['open', 'merged', 'closed']).default('open'),
});
export type OpenedPull = z.infer<typeof OpenedPull>;

export const PullCheck = z.object({
  name: z.string(),
  state: z.enum(['passed', 'failed', 'pending']),
  url: z.string().nullable(),
  /** What the check says of itself; cut. */
  summary: z.string(),
});
export type PullCheck = z.infer<typeof PullCheck>;

/** What somebody wrote to a pull request: a comment, a review with words, or a remark on a line. */
export const PullComment = z.object({
  /** Another one once it was edited. */
  id: z.string(),
  kind: z.enum(['comment', 'review', 'line']),
  author: z.string(),
  body: z.string(),
  url: z.string(),
  /** Path within the repo, and the line in it, of a remark on a line. */
  file: z.string().nullable(),
  line: z.number().int().nullable(),
  atMs: TimestampMs,
});
export type PullComment = z.infer<typeof PullComment>;

/** `changes_requested` as long as one reviewer's latest word is that. */
export const ReviewState = z.enum(['none', 'approved', 'changes_requested']);
export type ReviewState = z.infer<typeof ReviewState>;

/** What a look at GitHub saw of a pull request. */
export const PullSight = z.object({
  state: z.enum(['open', 'merged', 'closed']),
  title: z.string(),
  isDraft: z.boolean(),
  head: CommitId,
  /** The commit on the base branch, of one that is merged. */
  mergeCommit: CommitId.nullable(),
  review: ReviewState,
  /** Null if this login may not read them. */
  checks: z.array(PullCheck).nullable(),
  comments: z.array(PullComment),
});
export type PullSight = z.infer<typeof PullSight>;

/** A pull request of a workspace, as the last look saw it. */
export const PullRequest = OpenedPull.omit({ title: true, head: true, isDraft: true, state: true }).extend({
  workspace: WorkspaceName,
  openedAtMs: TimestampMs,
  sight: PullSight,
  /** Null if nobody looked since it was opened. */
  lookedAtMs: TimestampMs.nullable(),
  /** Why the last look failed; null if it did not. */
  fault: z.object({ code: z.string(), message: z.string() }).nullable(),
  /** Its turn among the workspace's: those that others need are merged first. */
  turn: z.number().int().positive(),
});
export type PullRequest = z.infer<typeof PullRequest>;

/** What a run answers: the text for its first agent, and which comments are in it. */
export const RunFeedback = z.object({
  text: z.string(),
  comments: z.array(z.object({ repo: RepoName, comment: z.string() })),
});
export type RunFeedback = z.infer<typeof RunFeedback>;
