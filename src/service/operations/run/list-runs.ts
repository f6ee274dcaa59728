import type { runList } from '../../../contract/operations/run.ts';
import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import { listRuns as runsInStore } from '../../../store/run-views.ts';
import { workspaceOf } from '../../../store/workspaces.ts';
import type { RunDeps } from './run-deps.ts';

export function listRuns(
  { database }: Pick<RunDeps, 'database'>,
  params: ParamsOf<typeof runList>,
): ReplyOf<typeof runList> {
  const runs = runsInStore(database, params);
  // Runs outlive their workspace, so that a name is wrong only if there are none either.
  if (runs.length === 0 && params.workspace !== undefined) workspaceOf(database, params.workspace);
  return { runs };
}
