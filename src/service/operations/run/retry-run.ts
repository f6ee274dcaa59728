import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import type { runRetry } from '../../../contract/operations/run.ts';
import { resolveRun } from '../../../store/run-views.ts';
import { newerAtWork, runOf } from '../../../store/runs.ts';
import { afterwards, type RunDeps } from './run-deps.ts';

/** Faults: RUN_NOT_FOUND, RUN_STATE, STEP_NOT_FOUND. */
export async function retryRun(deps: RunDeps, params: ParamsOf<typeof runRetry>): Promise<ReplyOf<typeof runRetry>> {
  const id = resolveRun(deps.database, params.run);
  await deps.desk.retry(id, params.from);
  const newer = newerAtWork(deps.database, runOf(deps.database, id));
  return { ...afterwards(deps, id), ...(newer === undefined ? {} : { waitsFor: newer.number }) };
}
