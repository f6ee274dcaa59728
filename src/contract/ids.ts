import { z } from 'zod';
import { commitPattern, isRepoNameEnding, NAME_CHARS, repoNamePattern } from './name-patterns.ts';

/** A repository's short name; also its folder name below `root/` and in every workspace. */
export const RepoName = z
  .string()
  .max(NAME_CHARS)
  .regex(repoNamePattern, 'letters, digits, dot, dash and underscore, starting with a letter or digit')
  .refine(isRepoNameEnding, 'may not end in .git or .lock')
  .brand<'RepoName'>();
export type RepoName = z.infer<typeof RepoName>;

/** A workspace's name, which is also the branch name in all its repos. */
export const WorkspaceName = z
  .string()
  .max(64)
  .regex(/^[a-z0-9][a-z0-9._-]*$/, 'small letters, digits, dot, dash and underscore, starting with a letter or digit')
  .refine(
    (name) => !name.includes('..') && !name.endsWith('.') && !name.endsWith('.lock'),
    'is not a branch name that git takes',
  )
  .brand<'WorkspaceName'>();
export type WorkspaceName = z.infer<typeof WorkspaceName>;

/** A run's id, never reused: `run_` and 16 hexadecimal digits. */
export const RunId = z
  .string()
  .regex(/^run_[0-9a-f]{16}$/)
  .brand<'RunId'>();
export type RunId = z.infer<typeof RunId>;

/** An attempt's id, never reused: `att_` and 16 hexadecimal digits. */
export const AttemptId = z
  .string()
  .regex(/^att_[0-9a-f]{16}$/)
  .brand<'AttemptId'>();
export type AttemptId = z.infer<typeof AttemptId>;

/** A step's name, unique in its pipeline. */
export const StepName = z
  .string()
  .max(64)
  .regex(/^[a-z0-9][a-z0-9_-]*$/, 'small letters, digits, dash and underscore')
  .brand<'StepName'>();
export type StepName = z.infer<typeof StepName>;

/** A full git object name. */
export const CommitId = z.string().regex(commitPattern).brand<'CommitId'>();
export type CommitId = z.infer<typeof CommitId>;

/** A branch name as the user writes it; git checks it in full with `check-ref-format`. */
export const BranchName = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\s~^:?*[\\-][^\s~^:?*[\\]*$/, 'is not a branch name that git takes');

/**
 * How a user names a run: its id, or `<workspace>/<number>` or `<workspace>-<number>`,
 * or a workspace's name alone, which means its newest run.
 */
export const RunReference = z.string().min(1).max(90);

/** Milliseconds since 1970-01-01 UTC. */
export const TimestampMs = z.number().int().nonnegative();
