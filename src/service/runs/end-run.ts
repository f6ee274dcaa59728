import type { FailureReason } from '../../contract/run.ts';
import { attemptsOfRun } from '../../store/attempts.ts';
import { setStepState, skipWaitingSteps } from '../../store/run-steps.ts';
import { finishRun, type StoredRun } from '../../store/runs.ts';
import { changeRun, type Desk, stepEvent } from './desk-parts.ts';

export interface RunEnd {
  readonly state: 'passed' | 'failed' | 'cancelled' | 'superseded' | 'rejected';
  /** The step that ended it; null if all passed, or it was none. */
  readonly step: string | null;
  readonly reason: FailureReason | null;
}

/** Gives a run its end, and its slot and place to others. */
export function endRun(desk: Desk, run: StoredRun, end: RunEnd): void {
  changeRun(desk, run, end.state, (atMs) => {
    if (end.step !== null && end.state !== 'passed') {
      const state =
        end.state === 'failed' || end.state === 'rejected' || hasBegun(desk, run, end.step) ? 'failed' : 'skipped';
      setStepState(desk.database, run.id, end.step, state);
      stepEvent(desk, run, end.step, state, atMs);
    }
    skipWaitingSteps(desk.database, run.id);
    finishRun(desk.database, run.id, { state: end.state, reason: end.reason, atMs });
  });
  desk.debugPoint?.('run-ended');
  letGo(desk, run);
}

/** A step that was stopped amid its work was not skipped. */
function hasBegun(desk: Desk, run: StoredRun, step: string): boolean {
  return attemptsOfRun(desk.database, run.id).some((attempt) => attempt.step === step);
}

/** The run works no more for now: its place, its slot and its ports are free. */
export function letGo(desk: Desk, run: Pick<StoredRun, 'id'>): void {
  desk.holding.delete(run.id);
  desk.wanting.delete(run.id);
  desk.portSlots.delete(run.id);
  desk.dispatch();
}
