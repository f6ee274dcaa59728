import type { ParamsOf } from '../../../contract/operation.ts';
import type { runCancel } from '../../../contract/operations/run.ts';
import { resolveRun } from '../../../store/run-views.ts';
import { type Afterwards, afterwards, type RunDeps } from './run-deps.ts';

/** A run that works is still running in the reply; an event tells when it has ended. Faults: RUN_NOT_FOUND, RUN_STATE. */
export async function cancelRun(deps: RunDeps, params: ParamsOf<typeof runCancel>): Promise<Afterwards> {
  const id = resolveRun(deps.database, params.run);
  await deps.desk.cancel(id);
  return afterwards(deps, id);
}
