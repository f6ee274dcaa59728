import { Fault } from '../../contract/faults.ts';
import type { RunId } from '../../contract/ids.ts';
import { endWaiting } from '../../engine/trigger.ts';
import { attemptsOfRun } from '../../store/attempts.ts';
import { requestStop, runOf } from '../../store/runs.ts';
import type { Desk } from './desk-parts.ts';
import { letGo } from './end-run.ts';

/** Ends a run. One that works ends when its attempt has, and its uncommitted work is pinned; any other at once. */
export async function cancelRun(desk: Desk, id: RunId): Promise<void> {
  const run = runOf(desk.database, id);
  switch (run.state) {
    case 'gathering':
    case 'queued':
    case 'waiting': {
      const sentence = 'The run was cancelled.';
      endWaiting(desk.database, run, { state: 'cancelled', class: 'cancelled', sentence, nowMs: Date.now() });
      desk.bus.wake();
      letGo(desk, run);
      return;
    }
    case 'running':
      requestStop(desk.database, id, 'cancelled', null);
      await stopAttempts(desk, id);
      return;
    case 'passed':
    case 'failed':
    case 'cancelled':
    case 'superseded':
    case 'rejected':
      throw new Fault('RUN_STATE', `Run ${run.number} of ${run.workspace} is over: it is ${run.state}.`);
  }
}

/** Carries out what the store says of a run that is to stop; may be called twice. */
export async function stopAttempts(desk: Desk, id: RunId): Promise<void> {
  const { stopping } = runOf(desk.database, id);
  if (stopping === null) return;
  for (const attempt of attemptsOfRun(desk.database, id)) {
    if (!attempt.isSealed && !attempt.isSalvage) await desk.engine.cancel(attempt.id, stopping);
  }
  desk.advance(id);
}
