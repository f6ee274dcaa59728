import type { RunId } from '../../contract/ids.ts';
import { type Action, nextActions } from '../../pipeline/next-actions.ts';
import { attemptsOfRun } from '../../store/attempts.ts';
import { runSteps, setStepState } from '../../store/run-steps.ts';
import { findRun, setRunState, type StoredRun } from '../../store/runs.ts';
import { clearRunFolder } from './clear-folders.ts';
import { changeRun, type Desk, stepEvent } from './desk-parts.ts';
import { endRun, letGo } from './end-run.ts';
import { isAtWork, runSoFar } from './run-so-far.ts';
import { settleAttempt } from './settle-attempt.ts';

/**
 * Looks at a running run and does what is next, as far as no place is needed for it. A run keeps the place of the
 * attempt that has ended until here, so that its next step and those of others are chosen from together.
 */
export async function advanceRun(desk: Desk, id: RunId): Promise<void> {
  await settleEndedAttempts(desk, id);
  const run = findRun(desk.database, id);
  // A queued run may be about to begin, with its place.
  if (run === undefined || run.state === 'queued' || run.state === 'gathering') return;
  const [action] = run.state === 'running' ? nextActions(runSoFar(desk.database, run)) : [];
  if (action !== undefined) await carryOut(desk, run, action);
  else if (!isAtWork(desk, id)) letGo(desk, run);
}

/** Steps that run and whose newest attempt is over: one at most, as steps go one after the other. */
async function settleEndedAttempts(desk: Desk, id: RunId): Promise<void> {
  const run = findRun(desk.database, id);
  if (run?.state !== 'running') return;
  const attempts = attemptsOfRun(desk.database, id);
  for (const step of runSteps(desk.database, id)) {
    const last = attempts.findLast((attempt) => attempt.step === step.name);
    if (step.state === 'running' && last?.isSealed === true) await settleAttempt(desk, run, last);
  }
}

async function carryOut(desk: Desk, run: StoredRun, action: Action): Promise<void> {
  switch (action.kind) {
    case 'start':
    case 'salvage':
      desk.holding.delete(run.id);
      desk.wanting.add(run.id);
      desk.dispatch();
      return;
    case 'ask':
      ask(desk, run, action.step);
      return;
    case 'finish':
      endRun(desk, run, action);
      await clearRunFolder(desk, run.id);
      return;
  }
}

/** A run that waits for a person holds neither a place nor its workspace's slot. */
function ask(desk: Desk, run: StoredRun, step: string): void {
  changeRun(desk, run, 'waiting', (atMs) => {
    setStepState(desk.database, run.id, step, 'asking');
    stepEvent(desk, run, step, 'asking', atMs);
    setRunState(desk.database, run.id, 'waiting');
  });
  letGo(desk, run);
}
