import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import type { runLand } from '../../../contract/operations/run.ts';
import { resolveRun } from '../../../store/run-views.ts';
import type { RunDeps } from './run-deps.ts';

/** Faults: RUN_NOT_FOUND, RUN_STATE, BRANCH_MISSING, LANDING_CONFLICT. */
export async function landRun(deps: RunDeps, params: ParamsOf<typeof runLand>): Promise<ReplyOf<typeof runLand>> {
  const id = resolveRun(deps.database, params.run);
  return { run: id, repos: await deps.desk.land(id) };
}
