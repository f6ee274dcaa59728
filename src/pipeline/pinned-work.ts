import type { AttemptState, FailureReason } from '../contract/run.ts';

const notTakenOut: readonly string[] = ['host_gone', 'git', 'disk'];

/**
 * True if all that an attempt left in the worktrees was taken out of them, as its host does last. False where there was
 * no host to do it, where that failed, and where it is not known.
 */
export function isTakenOut({
  state,
  reason,
}: {
  readonly state: AttemptState;
  readonly reason: FailureReason | null;
}): boolean {
  switch (state) {
    case 'starting':
    case 'running':
    case 'interrupted':
      return false;
    case 'broken':
      return ![...notTakenOut, 'internal'].includes(reason?.class ?? 'internal');
    case 'passed':
    case 'failed':
    case 'unverified':
    case 'timed_out':
    case 'silent':
    case 'cancelled':
    case 'superseded':
      return !notTakenOut.includes(reason?.class ?? '');
  }
}
