import type { AttemptState, FailureReason, RunStep, StepKind } from '../contract/run.ts';

/** How often a step is begun again because its host vanished; more often than that it is no accident. */
export const INTERRUPTIONS_LIMIT = 3;

/** An attempt as the decision needs it. */
export interface AttemptSoFar {
  readonly state: AttemptState;
  readonly reason: FailureReason | null;
}

/** A step with the attempts that count towards its retries, oldest first. */
export interface StepSoFar {
  readonly name: string;
  readonly kind: StepKind;
  readonly state: RunStep['state'];
  readonly retries: number;
  readonly attempts: readonly AttemptSoFar[];
  /** True if the step had attempts before a retry of the run. */
  readonly isRepeated: boolean;
}

export interface RunSoFar {
  /** Why the run is to end, if it is. */
  readonly stopping: 'cancelled' | 'superseded' | null;
  /** In order, `setup` first. */
  readonly steps: readonly StepSoFar[];
}

export type Action =
  | {
      readonly kind: 'start';
      readonly step: string;
      /** Go on with the session of the attempt before. */
      readonly resume: boolean;
      /** Put the worktrees back to the run's head first. */
      readonly restore: boolean;
    }
  | { readonly kind: 'ask'; readonly step: string }
  | {
      readonly kind: 'finish';
      readonly state: 'passed' | 'failed' | 'cancelled' | 'superseded' | 'rejected';
      /** The step that ended the run; null if all passed. */
      readonly step: string | null;
      readonly reason: FailureReason | null;
    };

/**
 * What a running run should do now; nothing means to wait. Steps go one after the other, each when the one
 * before it passed. Reads no clock, no disk and no process.
 */
export function nextActions(run: RunSoFar): readonly Action[] {
  const step = run.steps.find((each) => each.state !== 'passed' && each.state !== 'skipped');
  if (run.stopping !== null && step?.state !== 'running') return [stopped(run.stopping, step?.name ?? null)];
  if (step === undefined) return [{ kind: 'finish', state: 'passed', step: null, reason: null }];
  switch (step.state) {
    case 'running':
    case 'asking':
      return [];
    case 'failed':
      return [failed(step)];
    case 'waiting':
      return [step.kind === 'approve' ? { kind: 'ask', step: step.name } : nextAttempt(step)];
    case 'passed':
    case 'skipped':
      return [];
  }
}

function nextAttempt(step: StepSoFar): Action {
  const last = step.attempts.at(-1);
  const isAgent = step.kind === 'agent';
  if (last === undefined) return { kind: 'start', step: step.name, resume: false, restore: step.isRepeated && !isAgent };
  if (last.state === 'cancelled' || last.state === 'superseded') return stopped(last.state, step.name);
  if (last.state === 'interrupted') {
    const interruptions = step.attempts.filter((attempt) => attempt.state === 'interrupted').length;
    return interruptions > INTERRUPTIONS_LIMIT
      ? failed(step)
      : { kind: 'start', step: step.name, resume: isAgent, restore: !isAgent };
  }
  const failures = step.attempts.filter((attempt) => attempt.state !== 'interrupted').length;
  if (failures > step.retries) return failed(step);
  return { kind: 'start', step: step.name, resume: false, restore: !isAgent };
}

function failed(step: StepSoFar): Action {
  const reason = step.attempts.at(-1)?.reason ?? { class: 'internal', sentence: `The step ${step.name} did not pass.` };
  return { kind: 'finish', state: 'failed', step: step.name, reason };
}

function stopped(why: 'cancelled' | 'superseded', step: string | null): Action {
  const sentence = why === 'cancelled' ? 'The run was cancelled.' : 'A newer run took the place of this one.';
  return { kind: 'finish', state: why, step, reason: { class: why, sentence } };
}
