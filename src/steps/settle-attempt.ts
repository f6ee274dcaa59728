import type { AttemptOutcome, AttemptRequest } from '../contract/attempt.ts';
import { Fault, type FaultCode } from '../contract/faults.ts';
import type { FailureReason } from '../contract/run.ts';
import type { EndCause } from './watch-for-end.ts';
import type { WorkResult } from './work-result.ts';

/** How an attempt ended, before its commits are looked at. */
export type Settled = Pick<AttemptOutcome, 'state' | 'reason'>;

/** What ended the work early counts more than what the work said about itself on its way out. */
export function settle(
  work: WorkResult,
  cause: Exclude<EndCause, 'interrupted'> | undefined,
  request: AttemptRequest,
): Settled {
  if (cause !== undefined) return endedBy(cause, request);
  switch (work.state) {
    case 'passed':
      return { state: 'passed', reason: null };
    case 'failed':
    case 'unverified':
    case 'broken':
      return { state: work.state, reason: work.reason };
    case 'ended':
      return {
        state: 'broken',
        reason: { class: 'internal', sentence: 'The work was ended, and nobody asked for it.' },
      };
  }
}

function endedBy(
  cause: Exclude<EndCause, 'interrupted'>,
  { timeoutMs, silenceMs, outputLimitBytes }: AttemptRequest,
): Settled {
  switch (cause) {
    case 'cancelled':
      return { state: 'cancelled', reason: { class: 'cancelled', sentence: 'It was cancelled.' } };
    case 'superseded':
      return { state: 'superseded', reason: { class: 'superseded', sentence: 'A newer push took its place.' } };
    case 'timed_out':
      return {
        state: 'timed_out',
        reason: { class: 'timeout', sentence: `It took longer than ${seconds(timeoutMs)}.` },
      };
    case 'silent':
      return {
        state: 'silent',
        reason: { class: 'silence', sentence: `Nothing was printed for ${seconds(silenceMs)}.` },
      };
    case 'output_limit':
      return {
        state: 'failed',
        reason: { class: 'output_limit', sentence: `It printed more than ${outputLimitBytes} bytes.` },
      };
    case 'disk_full':
      return { state: 'failed', reason: { class: 'disk', sentence: 'The disk took no more output.' } };
  }
}

const seconds = (ms: number): string => `${ms / 1000} s`;

const reasonClasses: Partial<Record<FaultCode, FailureReason['class']>> = {
  CONFINEMENT_MISSING: 'confinement',
  DISK_FULL: 'disk',
  GIT_FAILED: 'git',
  ROOT_DAMAGED: 'git',
  MODEL_ACCESS_MISSING: 'model_access',
};

/** The reason for what stopped the host itself. */
export function reasonOf(error: unknown): FailureReason {
  if (error instanceof Fault) return { class: reasonClasses[error.code] ?? 'internal', sentence: error.message };
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return { class: 'disk', sentence: 'The disk is full.' };
  return {
    class: 'internal',
    sentence: `The step host failed: ${error instanceof Error ? error.message : String(error)}`,
  };
}
