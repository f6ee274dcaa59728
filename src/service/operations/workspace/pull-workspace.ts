import type { ParamsOf } from '../../../contract/operation.ts';
import type { PullResult, workspacePull } from '../../../contract/operations/workspace.ts';
import { pullClone } from '../../../git/pull-clone.ts';
import { rootOf } from '../../../store/roots.ts';
import { workspaceOf } from '../../../store/workspaces.ts';
import type { Call } from '../../http/binding.ts';
import type { ServiceParts } from '../../parts.ts';

/** Moves each clone forward to its branch in the root repo; one that cannot be moved says why, and others go on. */
export async function pullWorkspace(
  parts: Pick<ServiceParts, 'database' | 'layout' | 'locks'>,
  params: ParamsOf<typeof workspacePull>,
  { signal }: Call,
): Promise<{ results: PullResult[] }> {
  const { database, layout, locks } = parts;
  return locks.hold({ exclusive: [`workspace:${params.workspace}`] }, signal, async () => {
    const { name: workspace, repos } = workspaceOf(database, params.workspace);
    const results: PullResult[] = [];
    for (const { name: repo, role } of repos) {
      const branch = role === 'edit' ? workspace : rootOf(database, repo).defaultBranch;
      results.push({
        repo,
        ...(await pullClone({ folder: layout.clone(workspace, repo), rootFolder: layout.root(repo), branch, signal })),
      });
    }
    return { results };
  });
}
