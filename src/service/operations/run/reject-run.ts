import type { ParamsOf } from '../../../contract/operation.ts';
import type { runReject } from '../../../contract/operations/run.ts';
import { resolveRun } from '../../../store/run-views.ts';
import { type Afterwards, afterwards, type RunDeps } from './run-deps.ts';

/** Faults: RUN_NOT_FOUND, RUN_STATE. */
export function rejectRun(deps: RunDeps, params: ParamsOf<typeof runReject>): Afterwards {
  const id = resolveRun(deps.database, params.run);
  deps.desk.reject(id, params.note);
  return afterwards(deps, id);
}
