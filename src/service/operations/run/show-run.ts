import type { runShow } from '../../../contract/operations/run.ts';
import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import { resolveRun, runView } from '../../../store/run-views.ts';
import type { RunDeps } from './run-deps.ts';

/** Fault: RUN_NOT_FOUND. */
export function showRun(
  { database }: Pick<RunDeps, 'database'>,
  params: ParamsOf<typeof runShow>,
): ReplyOf<typeof runShow> {
  return runView(database, resolveRun(database, params.run));
}
