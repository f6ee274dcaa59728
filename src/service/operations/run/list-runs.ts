import type { runList } from '../../../contract/operations/run.ts';
import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import { listRuns as runsInStore } from '../../../store/run-views.ts';
import type { RunDeps } from './run-deps.ts';

export function listRuns(
  { database }: Pick<RunDeps, 'database'>,
  params: ParamsOf<typeof runList>,
): ReplyOf<typeof runList> {
  return { runs: runsInStore(database, params) };
}
