import { attemptRequest, liveAttempts } from '../../store/attempts.ts';
import { openLandings } from '../../store/landings.ts';
import { runOf, runsInState } from '../../store/runs.ts';
import { stopAttempts } from './cancel-run.ts';
import type { Desk } from './desk-parts.ts';
import { settleOpenMoves } from './land-run.ts';
import { keepPorts } from './port-slots.ts';
import { followAttempt } from './start-next.ts';

/**
 * Takes up every run where the last service left it; what its steps did meanwhile is taken in. `open` is called when it
 * is known who holds a place, so that more may be given out.
 */
export async function recoverRuns(desk: Desk, open: () => void): Promise<void> {
  await settleManualLandings(desk);
  const live = liveAttempts(desk.database);
  for (const attempt of live) {
    desk.holding.add(attempt.run);
    keepPorts(desk, attempt.run, attemptRequest(desk.database, attempt.id)?.environment ?? {});
  }
  await desk.engine.recover();
  open();
  for (const attempt of live) followAttempt(desk, attempt.run, attempt.id);
  for (const run of runsInState(desk.database, 'gathering')) desk.watchGathering(run.id);
  for (const run of runsInState(desk.database, 'running')) {
    if (run.stopping !== null) await stopAttempts(desk, run.id);
    else desk.advance(run.id);
  }
  desk.dispatch();
}

/** Those of running runs are settled with their steps. */
async function settleManualLandings(desk: Desk): Promise<void> {
  for (const landing of openLandings(desk.database)) {
    if (runOf(desk.database, landing.run).state === 'running') continue;
    try {
      await settleOpenMoves(desk, landing.run, landing.attempt);
    } catch (error) {
      desk.log.warn({ err: error, run: landing.run }, 'A landing could not be brought to its end.');
    }
  }
}
