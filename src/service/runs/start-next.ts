import { randomUUID } from 'node:crypto';
import type { AttemptId, RunId } from '../../contract/ids.ts';
import { type Action, nextActions } from '../../pipeline/next-actions.ts';
import { attemptsOfRun, findAttempt } from '../../store/attempts.ts';
import { findRun, runOf, type StoredRun } from '../../store/runs.ts';
import { buildRequest } from './build-request.ts';
import type { Desk } from './desk-parts.ts';
import { endRun } from './end-run.ts';
import { reasonFor } from './failure-reason.ts';
import { runSoFar } from './run-so-far.ts';

/** Starts the next attempt of a run that has a place. False if there is none to start. */
export async function startNext(desk: Desk, id: RunId): Promise<boolean> {
  const run = findRun(desk.database, id);
  if (run?.state !== 'running') return false;
  const [action] = nextActions(runSoFar(desk.database, run));
  if (action?.kind !== 'start' && action?.kind !== 'salvage') return false;
  try {
    await startAttempt(desk, run, action);
    return true;
  } catch (error) {
    desk.log.warn({ err: error, run: id }, 'A step could not be started.');
    // The state may have changed while the request was built.
    if (findRun(desk.database, id)?.state !== 'running') return false;
    endRun(desk, run, { state: 'failed', step: action.step, reason: reasonFor(error) });
    return false;
  }
}

/** Waits for the end of an attempt and goes on with its run. */
export function followAttempt(desk: Desk, run: RunId, attempt: AttemptId): void {
  void desk.engine.awaitOutcome(attempt).then(() => desk.advance(run));
}

async function startAttempt(
  desk: Desk,
  run: StoredRun,
  action: Extract<Action, { kind: 'start' | 'salvage' }>,
): Promise<void> {
  const isSalvage = action.kind === 'salvage';
  const earlier = attemptsOfRun(desk.database, run.id);
  const isAgent = run.pipeline.steps.some((step) => step.name === action.step && step.kind === 'agent');
  const lastSession =
    earlier.findLast((attempt) => attempt.step === action.step && !attempt.isSalvage)?.sessionId ?? null;
  const resumeSession = action.kind === 'start' && action.resume ? lastSession : null;
  const sessionId = isAgent && !isSalvage ? (resumeSession ?? randomUUID()) : undefined;
  const restore = action.kind === 'start' && action.restore;
  const request = await buildRequest(desk, run, { step: action.step, isSalvage, restore, resumeSession, sessionId });
  await desk.engine.ensureStarted(request, { sessionId, isSalvage });
  followAttempt(desk, run.id, request.attempt);
  const { stopping } = runOf(desk.database, run.id);
  if (stopping !== null && !isSalvage && findAttempt(desk.database, request.attempt)?.isSealed === false) {
    await desk.engine.cancel(request.attempt, stopping);
  }
}
