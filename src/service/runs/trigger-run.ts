import { Fault } from '../../contract/faults.ts';
import type { RunFeedback } from '../../contract/pull-request.ts';
import type { RunId } from '../../contract/ids.ts';
import { insertManualRun } from '../../engine/trigger.ts';
import { seenRef } from '../../store/seen-refs.ts';
import { workspaceOf } from '../../store/workspaces.ts';
import { checkMeans } from './begin-run.ts';
import type { Desk } from './desk-parts.ts';
import { branchBackHint } from './reach-work.ts';

/**
 * Starts a run on what the root repos hold now. Faults, before anything is written: WORKSPACE_NOT_FOUND,
 * PIPELINE_MISSING, MODEL_ACCESS_MISSING, CONFINEMENT_MISSING, BRANCH_MISSING.
 */
export async function triggerRun(
  desk: Desk,
  name: string,
  note: string | null,
  feedback?: RunFeedback,
): Promise<{ run: RunId; stopping: readonly RunId[] }> {
  const workspace = workspaceOf(desk.database, name);
  const { pipeline } = workspace;
  if (pipeline === null) throw new Fault('PIPELINE_MISSING', `The workspace ${name} has no pipeline.`);
  const settings = desk.config.settings();
  await checkMeans(desk, pipeline, settings);
  const edited = workspace.repos.filter((repo) => repo.role === 'edit').map((repo) => repo.name);
  await desk.checkRefs(edited);
  const missing = edited.find((repo) => seenRef(desk.database, repo, name) === undefined);
  if (missing !== undefined) {
    throw new Fault('BRANCH_MISSING', `The branch ${name} is missing in ${missing}.`, {
      hint: branchBackHint(desk.layout, name, missing),
    });
  }
  const rules = {
    nowMs: Date.now(),
    onNewPush: settings.on_new_push,
    pipeline,
    ...(feedback === undefined ? {} : { feedback }),
  };
  return insertManualRun(desk.database, name, note, rules);
}
