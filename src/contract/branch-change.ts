import { z } from 'zod';
import { CommitId, RepoName, TimestampMs } from './ids.ts';

/**
 * A branch of a root repo that stands elsewhere than before. `moved` went forward, and `forced` lost commits; a branch
 * that came or went has no commit on that side.
 */
export const BranchChange = z.object({
  /** When it was seen. */
  atMs: TimestampMs,
  repo: RepoName,
  branch: z.string(),
  change: z.enum(['created', 'moved', 'forced', 'deleted']),
  from: CommitId.nullable(),
  to: CommitId.nullable(),
  /** How many commits are new: of a new branch those that the default branch lacks. Null if nobody can tell. */
  commits: z.number().int().nullable(),
  /** First line of the newest of them; null if there is none. */
  subject: z.string().nullable(),
});
export type BranchChange = z.infer<typeof BranchChange>;
