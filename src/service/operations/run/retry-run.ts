import type { ParamsOf } from '../../../contract/operation.ts';
import type { runRetry } from '../../../contract/operations/run.ts';
import { resolveRun } from '../../../store/run-views.ts';
import { type Afterwards, afterwards, type RunDeps } from './run-deps.ts';

/** Faults: RUN_NOT_FOUND, RUN_STATE, STEP_NOT_FOUND. */
export async function retryRun(deps: RunDeps, params: ParamsOf<typeof runRetry>): Promise<Afterwards> {
  const id = resolveRun(deps.database, params.run);
  await deps.desk.retry(id, params.from);
  return afterwards(deps, id);
}
