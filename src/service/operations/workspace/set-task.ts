import { Fault } from '../../../contract/faults.ts';
import type { ParamsOf } from '../../../contract/operation.ts';
import type { workspaceTaskSet } from '../../../contract/operations/workspace.ts';
import type { WorkspaceSummary } from '../../../contract/workspace.ts';
import { setTask as storeTask, workspaceOf } from '../../../store/workspaces.ts';
import { pictureOf, refreshWorkspaceGuidance } from '../../guidance/workspace-guidance.ts';
import type { Call } from '../../http/binding.ts';
import { commit, type ServiceParts } from '../../parts.ts';
import { taskOf } from './create-workspace.ts';
import { workspaceSummary } from './workspace-view.ts';

type TaskParts = Pick<ServiceParts, 'bus' | 'config' | 'database' | 'layout' | 'locks'>;

/** Says what a workspace is for; its CLAUDE.md follows, unless somebody edited that. */
export async function setTask(
  parts: TaskParts,
  { workspace, text }: ParamsOf<typeof workspaceTaskSet>,
  { signal }: Call,
): Promise<WorkspaceSummary> {
  if (text === undefined)
    throw new Fault('INPUT_INVALID', 'No task is given.', { hint: 'Write it behind the name, or give --file.' });
  return parts.locks.hold({ exclusive: [`pipeline:${workspace}`] }, signal, async () => {
    const before = pictureOf(parts, workspace);
    commit(parts, [{ topic: 'workspace.update', workspace, data: { change: 'task' } }], () =>
      storeTask(parts.database, workspace, taskOf(text)),
    );
    await refreshWorkspaceGuidance(parts, before);
    return workspaceSummary(parts, workspaceOf(parts.database, workspace));
  });
}
