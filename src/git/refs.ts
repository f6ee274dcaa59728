import { isUtf8 } from 'node:buffer';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../contract/faults.ts';
import { CommitId } from '../contract/ids.ts';
import { nameOfBytes } from '../platform/byte-names.ts';
import { git, gitBytes, gitResult, linesOf } from './git.ts';

type Cancellable = { readonly signal: AbortSignal };

/** One ref's move in a transaction; null means that the ref is absent. */
export interface RefMove {
  readonly ref: string;
  readonly from: string | null;
  readonly to: string | null;
}

export const NO_COMMIT = '0'.repeat(40);

/** Above so many runs with loose pins, pins are packed into one file. */
const LOOSE_RUNS_LIMIT = 100;

/** The branches of a root repo. */
export async function readHeads(folder: string, { signal }: Cancellable): Promise<Map<string, CommitId>> {
  return readRefs(folder, 'refs/heads/', { signal });
}

/** All refs below a prefix that ends in a slash, named by what follows the prefix; see `nameOfBytes`. */
export async function readRefs(
  folder: string,
  prefix: string,
  { signal }: Cancellable,
): Promise<Map<string, CommitId>> {
  const bytes = await gitBytes(folder, ['for-each-ref', '--format=%(objectname) %(refname)', prefix], { signal });
  const lines = isUtf8(bytes) ? linesOf(bytes.toString('utf8')) : linesOf(bytes.toString('latin1')).map(lineOfBytes);
  return new Map(lines.map((line) => [line.slice(41 + prefix.length), CommitId.parse(line.slice(0, 40))]));
}

const lineOfBytes = (latin1: string): string => nameOfBytes(Buffer.from(latin1, 'latin1'));

/** The commit that a ref or a revision stands for, or null if there is none. */
export async function refCommit(folder: string, ref: string, { signal }: Cancellable): Promise<CommitId | null> {
  const result = await gitResult(folder, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`], {
    signal,
  });
  return result.exitCode === 0 ? CommitId.parse(result.stdout.toString('utf8').trim()) : null;
}

/** Moves refs in one transaction that expects where each stands: all of them move, or none. Fault: GIT_FAILED. */
export async function moveRefs(folder: string, moves: readonly RefMove[], { signal }: Cancellable): Promise<void> {
  if (moves.length === 0) return;
  const lines = moves.map(({ ref, from, to }) =>
    to === null ? `delete ${ref}\0${from ?? ''}\0` : `update ${ref}\0${to}\0${from ?? NO_COMMIT}\0`,
  );
  await git(folder, ['update-ref', '-z', '--stdin'], { signal, input: lines.join('') });
}

/** Makes a branch. Fault: BRANCH_EXISTS, also if it is there at that very commit. */
export async function createBranch(
  folder: string,
  branch: string,
  commit: string,
  { signal }: Cancellable,
): Promise<void> {
  try {
    await moveRefs(folder, [{ ref: `refs/heads/${branch}`, from: null, to: commit }], { signal });
  } catch (error) {
    if ((await refCommit(folder, `refs/heads/${branch}`, { signal })) === null) throw error;
    throw new Fault('BRANCH_EXISTS', `The branch ${branch} exists already in ${folder}.`, { cause: error });
  }
}

/** Deletes a branch that still stands at `expected`; one that is gone already is no fault. */
export async function deleteBranch(
  folder: string,
  branch: string,
  expected: string,
  { signal }: Cancellable,
): Promise<void> {
  try {
    await moveRefs(folder, [{ ref: `refs/heads/${branch}`, from: expected, to: null }], { signal });
  } catch (error) {
    if ((await refCommit(folder, `refs/heads/${branch}`, { signal })) !== null) throw error;
  }
}

/** Keeps commits from ever being pruned. A pin that exists moves. */
export async function pinCommits(
  folder: string,
  pins: readonly { readonly ref: string; readonly commit: string }[],
  { signal }: Cancellable,
): Promise<void> {
  if (pins.length === 0) return;
  const lines = pins.map(({ ref, commit }) => `update ${ref}\0${commit}\0\0`);
  await git(folder, ['update-ref', '-z', '--stdin'], { signal, input: lines.join('') });
  if ((await countLooseRuns(folder)) > LOOSE_RUNS_LIMIT) await packRefs(folder, { signal });
}

/** Deletes all pins below a prefix such as `refs/takt/runs/run_…`. Only refs of takt's own can be named. */
export async function unpin(folder: string, prefix: string, { signal }: Cancellable): Promise<void> {
  if (!/^refs\/takt\/[^/]+\/./.test(prefix)) throw new Fault('INTERNAL', `${prefix} does not name pins of takt.`);
  const below = `${prefix.replace(/\/$/, '')}/`;
  const pins = [...(await readRefs(folder, below, { signal }))].map(([name, from]) => ({
    ref: below + name,
    from,
    to: null,
  }));
  await moveRefs(folder, pins, { signal });
}

/** Writes all refs into one file, so that reading them stays quick. */
export async function packRefs(folder: string, { signal }: Cancellable): Promise<void> {
  await git(folder, ['pack-refs', '--all'], { signal });
}

/**
 * Lands a commit on a branch that is expected at `oldCommit` (null: absent). `already`: it is there, as after a
 * crash between landing and its record. `foreign`: somebody else moved the branch, and it was left alone.
 */
export async function compareAndSwapBranch(
  folder: string,
  branch: string,
  oldCommit: string | null,
  newCommit: string,
  { signal }: Cancellable,
): Promise<'moved' | 'already' | 'foreign'> {
  const ref = `refs/heads/${branch}`;
  if ((await refCommit(folder, ref, { signal })) === newCommit) return 'already';
  try {
    await moveRefs(folder, [{ ref, from: oldCommit, to: newCommit }], { signal });
    return 'moved';
  } catch (error) {
    const now = await refCommit(folder, ref, { signal });
    if (now === newCommit) return 'already';
    // Still where it was expected: then git could not write, which is no move of somebody else's.
    if (now === oldCommit) throw error;
    return 'foreign';
  }
}

async function countLooseRuns(folder: string): Promise<number> {
  try {
    return (await readdir(join(folder, 'refs', 'takt', 'runs'))).length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
