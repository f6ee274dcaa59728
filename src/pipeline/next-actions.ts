import type { AttemptState, FailureReason, RunStep, StepKind } from '../contract/run.ts';
import { isTakenOut } from './pinned-work.ts';

/** How often a step is begun again because its host vanished; more often than that it is no accident. */
export const INTERRUPTIONS_LIMIT = 3;
const SALVAGES_LIMIT = 3;

/** An attempt as the decision needs it. */
export interface AttemptSoFar {
  readonly state: AttemptState;
  readonly reason: FailureReason | null;
  /** Did no work, but pinned what the one before it had left. */
  readonly isSalvage: boolean;
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
  /** Pin what an attempt left whose host vanished, before anything else is done with the run's folder. */
  | { readonly kind: 'salvage'; readonly step: string }
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
  // All has passed already: what was to be stopped is done.
  if (step === undefined) return [passed];
  switch (step.state) {
    case 'running':
      return [];
    case 'asking':
      return run.stopping === null ? [] : [stopped(run.stopping, step.name)];
    case 'failed':
      return [run.stopping === null ? failed(step) : stopped(run.stopping, step.name)];
    case 'waiting':
      return [nextOfStep(step, run.stopping)];
    case 'passed':
    case 'skipped':
      return [];
  }
}

function nextOfStep(step: StepSoFar, stopping: RunSoFar['stopping']): Action {
  const next = stopping === null ? afterAttempts(step) : stopped(stopping, step.name);
  const isResumed = next.kind === 'start' && next.resume;
  if (isResumed || !hasUnpinnedWork(step, next)) return next;
  const salvages = step.attempts.slice(step.attempts.findLastIndex((attempt) => !attempt.isSalvage) + 1);
  if (salvages.length < SALVAGES_LIMIT && salvages.every((attempt) => attempt.state === 'interrupted')) {
    return { kind: 'salvage', step: step.name };
  }
  // Going back to the recorded tree would lose what could not be pinned.
  return next.kind === 'start' ? failed(step) : next;
}

/**
 * Only agents and commands work in the run's folder; their hosts pin what they leave. Where a host could not, it is
 * tried again before the step is; a run that ends keeps its folder.
 */
function hasUnpinnedWork(step: StepSoFar, next: Action): boolean {
  if (step.kind !== 'agent' && step.kind !== 'command') return false;
  const last = step.attempts.at(-1);
  if (last === undefined) return false;
  if (last.isSalvage) return last.state !== 'passed';
  if (last.state === 'interrupted' || next.kind !== 'start') return last.reason?.class === 'host_gone';
  return !isTakenOut(last);
}

function afterAttempts(step: StepSoFar): Action {
  if (step.kind === 'approve') return { kind: 'ask', step: step.name };
  const attempts = step.attempts.filter((attempt) => !attempt.isSalvage);
  const last = attempts.at(-1);
  const isAgent = step.kind === 'agent';
  if (last === undefined)
    return { kind: 'start', step: step.name, resume: false, restore: step.isRepeated && !isAgent };
  if (last.state === 'cancelled' || last.state === 'superseded') return stopped(last.state, step.name);
  if (last.state === 'interrupted') {
    const interruptions = attempts.filter((attempt) => attempt.state === 'interrupted').length;
    return interruptions > INTERRUPTIONS_LIMIT
      ? failed(step)
      : { kind: 'start', step: step.name, resume: isAgent, restore: !isAgent };
  }
  const failures = attempts.filter((attempt) => attempt.state !== 'interrupted').length;
  if (failures > step.retries) return failed(step);
  return { kind: 'start', step: step.name, resume: false, restore: !isAgent };
}

const passed: Action = { kind: 'finish', state: 'passed', step: null, reason: null };

function failed(step: StepSoFar): Action {
  const explained = step.attempts.filter((attempt) => attempt.reason !== null);
  const last = explained.findLast((attempt) => !attempt.isSalvage) ?? explained.at(-1);
  const reason = last?.reason ?? { class: 'internal', sentence: `The step ${step.name} did not pass.` };
  return { kind: 'finish', state: 'failed', step: step.name, reason };
}

function stopped(why: 'cancelled' | 'superseded', step: string): Action {
  const sentence = why === 'cancelled' ? 'The run was cancelled.' : 'A newer run took the place of this one.';
  return { kind: 'finish', state: why, step, reason: { class: why, sentence } };
}
