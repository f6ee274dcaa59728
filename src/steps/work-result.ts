import type { AttemptOutcome } from '../contract/attempt.ts';
import type { AgentUsage, FailureReason } from '../contract/run.ts';
import type { StageResult } from '../contract/stage-result.ts';

/** What a step's work came to, before the host looks at what it left in the worktrees. */
export interface WorkResult {
  /** `ended`: by the signal; whoever aborted it knows why. */
  readonly state: 'passed' | 'failed' | 'unverified' | 'broken' | 'ended';
  readonly reason: FailureReason | null;
  readonly result: StageResult | null;
  readonly usage: AgentUsage | null;
  readonly exitCode: number | null;
  /** What upstream has now; also of a push that failed half-way. */
  readonly pushed?: AttemptOutcome['pushed'];
  /** Pull requests that are there now; also of a step that failed half-way. */
  readonly pulls?: AttemptOutcome['pulls'];
  /** True if it ended before anything was done in the worktrees. */
  readonly isUntouched?: boolean;
  /** Per repo, commits that the root repo got from elsewhere during the work. */
  readonly known?: ReadonlyMap<string, readonly string[]>;
}

export const passedWork = (summary: string): WorkResult => ({
  state: 'passed',
  reason: null,
  result: { verdict: 'passed', summary, findings: [] },
  usage: null,
  exitCode: null,
});

export const failedWork = (reason: FailureReason): WorkResult => ({
  state: 'failed',
  reason,
  result: { verdict: 'failed', summary: reason.sentence, findings: [] },
  usage: null,
  exitCode: null,
});

export const endedWork: WorkResult = { state: 'ended', reason: null, result: null, usage: null, exitCode: null };
