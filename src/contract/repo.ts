import { z } from 'zod';
import { CommitId, RepoName, TimestampMs } from './ids.ts';

/** One entry of `config/repos.yaml`. */
export const RepoConfig = z.strictObject({
  name: RepoName,
  /** URL or absolute path of the upstream. */
  upstream: z.string().min(1).max(2000),
  /** Where workspaces' branches are pushed to, if not to the upstream: a fork. Fetching stays with the upstream. */
  push_url: z.string().min(1).max(2000).optional(),
  default_branch: z.string().min(1).max(200).optional(),
  /** Repos that this one needs; they go out before it. */
  depends_on: z.array(RepoName).default([]),
  /** Shell command that makes a fresh worktree able to work. */
  setup: z.string().max(4000).optional(),
  /** Untracked files that a fresh worktree needs, such as `.env`. */
  copy: z.array(z.string().min(1).max(500)).default([]),
  /** Folders kept between runs, keyed by the repo's lock files. */
  cache: z.array(z.string().min(1).max(500)).default([]),
});
export type RepoConfig = z.infer<typeof RepoConfig>;

/** A root repo as the list shows it. */
export const RepoSummary = z.object({
  name: RepoName,
  /** Without passwords, as all addresses in replies. */
  upstream: z.string(),
  /** Null if pushes go to the upstream. */
  pushUrl: z.string().nullable(),
  defaultBranch: z.string(),
  dependsOn: z.array(RepoName),
  /** Null until the first fetch has ended. */
  fetchedAtMs: TimestampMs.nullable(),
  /** Why the last fetch failed; null if it did not. */
  fetchFault: z.object({ code: z.string(), message: z.string() }).nullable(),
  workspaces: z.array(z.string()),
});
export type RepoSummary = z.infer<typeof RepoSummary>;

export const Repo = RepoSummary.extend({
  folder: z.string(),
  head: CommitId.nullable(),
  branches: z.array(z.object({ name: z.string(), commit: CommitId })),
  sizeBytes: z.number(),
  setup: z.string().nullable(),
  copy: z.array(z.string()),
  cache: z.array(z.string()),
  /** Facts that takt does not follow, such as submodules and LFS. */
  notices: z.array(z.string()),
});
export type Repo = z.infer<typeof Repo>;
