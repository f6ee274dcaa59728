import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import type { workspaceTrigger } from '../../../contract/operations/workspace.ts';
import { runOf } from '../../../store/runs.ts';
import type { RunDeps } from './run-deps.ts';

/** Faults: WORKSPACE_NOT_FOUND, PIPELINE_MISSING, MODEL_ACCESS_MISSING, CONFINEMENT_MISSING, BRANCH_MISSING. */
export async function triggerRun(
  deps: RunDeps,
  params: ParamsOf<typeof workspaceTrigger>,
): Promise<ReplyOf<typeof workspaceTrigger>> {
  const id = await deps.desk.trigger(params.workspace, params.note ?? null);
  const { number, workspace } = runOf(deps.database, id);
  return { run: id, number, workspace };
}
