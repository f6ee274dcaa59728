import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BranchChange } from '../../contract/branch-change.ts';
import { Fault } from '../../contract/faults.ts';
import { commitSubjects, countApart } from '../../git/history.ts';
import { refCommit } from '../../git/refs.ts';
import type { BranchMove } from '../../service/watching/moves-between.ts';
import { isOfTheDisk } from './why-unreadable.ts';

type Facts = Pick<BranchChange, 'change' | 'commits' | 'subject'>;

/** What a move of a branch was: asks git about the commits on both sides, in processes that only read. */
export async function describeMove(
  { repo, branch, from, to }: BranchMove,
  { rootFolder, atMs, signal }: { rootFolder: string; atMs: number; signal: AbortSignal },
): Promise<BranchChange> {
  const facts = await factsOf({ branch, from, to }, rootFolder, signal);
  return BranchChange.parse({ atMs, repo, branch, from, to, ...facts });
}

async function factsOf(
  { branch, from, to }: Omit<BranchMove, 'repo'>,
  rootFolder: string,
  signal: AbortSignal,
): Promise<Facts> {
  if (to === null) return { change: 'deleted', commits: null, subject: null };
  const before = from ?? (await orUnknown(() => defaultCommit(rootFolder, branch, signal), signal)) ?? null;
  const apart =
    before === null ? undefined : await orUnknown(() => countApart(rootFolder, before, to, { signal }), signal);
  const isEmpty = apart?.right === 0;
  const subject = isEmpty
    ? undefined
    : (await orUnknown(() => commitSubjects(rootFolder, null, to, { signal, limit: 1 }), signal))?.[0];
  return {
    // Where the old commit is gone already, the branch did not go forward from it.
    change: from === null ? 'created' : apart?.left === 0 ? 'moved' : 'forced',
    commits: apart?.right ?? null,
    // The line begins with the commit's short name.
    subject: subject === undefined ? null : subject.slice(subject.indexOf(' ') + 1),
  };
}

/** Where the default branch is, unless that is the branch in question. */
async function defaultCommit(rootFolder: string, branch: string, signal: AbortSignal): Promise<string | null> {
  const head = (await readFile(join(rootFolder, 'HEAD'), 'utf8')).trim().replace(/^ref: /, '');
  return head === `refs/heads/${branch}` ? null : refCommit(rootFolder, head, { signal });
}

/** Commits of a force push or a deletion may be pruned meanwhile, and whole repos removed. */
async function orUnknown<Value>(ask: () => Promise<Value>, signal: AbortSignal): Promise<Value | undefined> {
  try {
    return await ask();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Fault || isOfTheDisk(error)) return undefined;
    throw error;
  }
}
