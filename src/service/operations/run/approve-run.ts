import type { ParamsOf } from '../../../contract/operation.ts';
import type { runApprove } from '../../../contract/operations/run.ts';
import { resolveRun } from '../../../store/run-views.ts';
import { type Afterwards, afterwards, type RunDeps } from './run-deps.ts';

/** Faults: RUN_NOT_FOUND, RUN_STATE, COMMITS_CHANGED. */
export function approveRun(deps: RunDeps, params: ParamsOf<typeof runApprove>): Afterwards {
  const id = resolveRun(deps.database, params.run);
  deps.desk.approve(id, { commits: params.commits, note: params.note });
  return afterwards(deps, id);
}
