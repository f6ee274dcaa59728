import { Fault } from '../contract/faults.ts';
import { CommitId } from '../contract/ids.ts';
import { COMMITTER, type Person } from './person.ts';
import { refCommit } from './refs.ts';
import { git, gitFault, gitResult, linesOf, quietEnvironment } from './git.ts';

type Cancellable = { readonly signal: AbortSignal };

export type Merge =
  | { readonly kind: 'current' | 'fast-forward' | 'merge'; readonly commit: CommitId }
  | { readonly kind: 'conflict'; readonly files: string[] }
  | { readonly kind: 'unrelated' };

export interface CommitDiff {
  readonly files: number;
  readonly insertions: number;
  readonly deletions: number;
  readonly patch: string;
  /** True if the patch was longer than the limit; it ends after a whole line then. */
  readonly isCut: boolean;
}

// A user's own settings must not start a program here or change the form of the patch.
const PLAIN_DIFF = [
  '--no-ext-diff',
  '--no-textconv',
  '--no-color',
  '--src-prefix=a/',
  '--dst-prefix=b/',
  '--ignore-submodules=none',
];
const NUMSTAT_LIMIT_BYTES = 32 * 1024 * 1024;
const SUMMARY_LIMIT_LINES = 60;

/** The variables by which git names author and committer of a commit that takt makes. */
export function commitEnvironment(author: Person, committer: Person = COMMITTER): Record<string, string> {
  return {
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_COMMITTER_NAME: committer.name,
    GIT_COMMITTER_EMAIL: committer.email,
  };
}

/** True if `newer` holds all commits of `older`. */
export async function isAncestor(
  folder: string,
  older: string,
  newer: string,
  { signal }: Cancellable,
): Promise<boolean> {
  const args = ['merge-base', '--is-ancestor', older, newer];
  const result = await gitResult(folder, args, { signal });
  if (result.exitCode === 0 || result.exitCode === 1) return result.exitCode === 0;
  throw await gitFault(folder, args, result);
}

/** True if one of these commits holds another; such as the root repo does not have hold nothing. */
export async function isHeldByAny(
  folder: string,
  commit: string,
  holders: readonly (string | null)[],
  { signal }: Cancellable,
): Promise<boolean> {
  for (const holder of holders) {
    const isKnown = holder !== null && (await refCommit(folder, holder, { signal })) !== null;
    if (isKnown && (await isAncestor(folder, commit, holder, { signal }))) return true;
  }
  return false;
}

/**
 * Merges two commits without a work tree. `current`: ours has it all. `fast-forward`: theirs does. `merge`: a new
 * commit with both as parents, which no ref holds yet. `conflict`: nothing was made; the files are named.
 * `unrelated`: they have no commit in common, and nothing was made.
 */
export async function mergeCommits(
  folder: string,
  ours: string,
  theirs: string,
  { author, message, signal }: { author: Person; message: string; signal: AbortSignal },
): Promise<Merge> {
  if (await isAncestor(folder, theirs, ours, { signal })) return { kind: 'current', commit: CommitId.parse(ours) };
  if (await isAncestor(folder, ours, theirs, { signal }))
    return { kind: 'fast-forward', commit: CommitId.parse(theirs) };
  if (!(await isRelated(folder, ours, theirs, { signal }))) return { kind: 'unrelated' };
  const merged = await mergeTrees(folder, ours, theirs, { signal });
  if ('files' in merged) return { kind: 'conflict', files: merged.files };
  const commit = await git(folder, ['commit-tree', merged.tree, '-p', ours, '-p', theirs, '-F', '-'], {
    signal,
    input: message,
    env: { ...quietEnvironment(), ...commitEnvironment(author) },
  });
  return { kind: 'merge', commit: CommitId.parse(commit.trim()) };
}

async function isRelated(folder: string, one: string, other: string, { signal }: Cancellable): Promise<boolean> {
  const args = ['merge-base', one, other];
  const result = await gitResult(folder, args, { signal });
  if (result.exitCode === 0 || result.exitCode === 1) return result.exitCode === 0;
  throw await gitFault(folder, args, result);
}

/** The tree that a merge of two commits gives, or the files in conflict. Unrelated histories are a fault. */
export async function mergeTrees(
  folder: string,
  ours: string,
  theirs: string,
  { signal }: Cancellable,
): Promise<{ tree: string } | { files: string[] }> {
  const args = ['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', ours, theirs];
  const result = await gitResult(folder, args, { signal });
  const [tree = '', ...files] = result.stdout
    .toString('utf8')
    .split('\0')
    .filter((part) => part !== '');
  if (result.exitCode === 0) return { tree };
  if (result.exitCode === 1 && files.length > 0) return { files };
  throw await gitFault(folder, args, result);
}

/** What changed between two commits. The patch is bounded, the counts are not. */
export async function diffCommits(
  folder: string,
  from: string,
  to: string,
  { signal, limitBytes }: { signal: AbortSignal; limitBytes: number },
): Promise<CommitDiff> {
  const numstat = await git(folder, ['diff', '--numstat', '--find-renames', ...PLAIN_DIFF, from, to, '--'], {
    signal,
    outputLimitBytes: NUMSTAT_LIMIT_BYTES,
  });
  const counts = linesOf(numstat).map((line) =>
    line.split('\t', 2).map((count) => (count === '-' ? 0 : Number(count))),
  );
  const args = ['diff', '--find-renames', ...PLAIN_DIFF, from, to, '--'];
  const result = await gitResult(folder, args, { signal, outputLimitBytes: limitBytes });
  if (result.exitCode !== 0 && !result.isOverLimit) throw await gitFault(folder, args, result);
  const patch = result.stdout.toString('utf8');
  return {
    files: counts.length,
    insertions: counts.reduce((sum, [added]) => sum + (added ?? 0), 0),
    deletions: counts.reduce((sum, [, deleted]) => sum + (deleted ?? 0), 0),
    patch: result.isOverLimit ? patch.slice(0, patch.lastIndexOf('\n') + 1) : patch,
    isCut: result.isOverLimit,
  };
}

/** A table of the files that changed, for a prompt or a list; a long one is cut in the middle. */
export async function diffSummary(folder: string, from: string, to: string, { signal }: Cancellable): Promise<string> {
  const text = await git(folder, ['diff', '--stat=100', '--find-renames', ...PLAIN_DIFF, from, to, '--'], {
    signal,
    outputLimitBytes: NUMSTAT_LIMIT_BYTES,
  });
  const lines = linesOf(text);
  if (lines.length <= SUMMARY_LIMIT_LINES) return lines.join('\n');
  const left = lines.length - SUMMARY_LIMIT_LINES;
  return [...lines.slice(0, SUMMARY_LIMIT_LINES - 1), ` … and ${left} more files`, lines.at(-1)].join('\n');
}

/** First lines of the commits that `to` has and `from` lacks, newest first; from null, of all. */
export async function commitSubjects(
  folder: string,
  from: string | null,
  to: string,
  { signal, limit }: { signal: AbortSignal; limit: number },
): Promise<string[]> {
  const range = from === null ? [to] : [to, `^${from}`];
  return linesOf(
    await git(
      folder,
      ['log', '--no-show-signature', '--no-color', `--max-count=${limit}`, '--format=%h %s', ...range, '--'],
      { signal },
    ),
  );
}

/** How many commits each of two has that the other lacks. */
export async function countApart(
  folder: string,
  left: string,
  right: string,
  { signal }: Cancellable,
): Promise<{ left: number; right: number }> {
  const [ours, theirs] = (
    await git(folder, ['rev-list', '--count', '--left-right', `${left}...${right}`, '--'], { signal })
  )
    .trim()
    .split('\t');
  if (ours === undefined || theirs === undefined)
    throw new Fault('GIT_FAILED', `git rev-list printed no counts in ${folder}.`);
  return { left: Number(ours), right: Number(theirs) };
}
