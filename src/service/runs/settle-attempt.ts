import { upstreamRef } from '../../contract/attempt.ts';
import type { StoredAttempt } from '../../store/attempts.ts';
import { recordAnswered } from '../../store/pull-requests.ts';
import { setStepState } from '../../store/run-steps.ts';
import type { StoredRun } from '../../store/runs.ts';
import { type Desk, stepEvent } from './desk-parts.ts';
import { isAnswering } from './answering.ts';
import { landAttempt } from './land-attempt.ts';

/**
 * Draws the consequence of an attempt that has ended: the commits of one that passed land, and its step has passed; the
 * step of any other waits for what the pipeline says. May be called again after a crash at any point.
 */
export async function settleAttempt(desk: Desk, run: StoredRun, attempt: StoredAttempt): Promise<void> {
  if (isMerge(run, attempt)) {
    for (const { repo } of attempt.repos) desk.upstreamFetched(repo, upstreamRef(run.id, attempt.id));
  }
  if (attempt.state === 'passed' && !attempt.isSalvage) {
    await landAttempt(desk, run, attempt, (atMs) => setState(desk, run, attempt.step, 'passed', atMs));
    return;
  }
  desk.database.transaction(() => setState(desk, run, attempt.step, 'waiting', Date.now()));
  desk.bus.wake();
}

function isMerge({ pipeline }: StoredRun, { step }: StoredAttempt): boolean {
  return pipeline.steps.some(
    (each) => each.name === step && each.kind === 'script' && each.script === 'merge_upstream',
  );
}

function setState(desk: Desk, run: StoredRun, step: string, state: 'passed' | 'waiting', atMs: number): void {
  setStepState(desk.database, run.id, step, state);
  // Only now has an agent read it, whatever becomes of the run.
  if (state === 'passed' && isAnswering(run, step))
    recordAnswered(desk.database, run.workspace, run.feedback!.comments);
  stepEvent(desk, run, step, state, atMs);
}
