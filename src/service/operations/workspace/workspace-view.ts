import type { CloneStatus, Workspace, WorkspaceSummary } from '../../../contract/workspace.ts';
import { cloneStatus } from '../../../git/clone.ts';
import { pushedRefs } from '../../../git/released-refs.ts';
import { rootOf } from '../../../store/roots.ts';
import { listWorkspaces as storedWorkspaces, type StoredWorkspace, workspaceOf } from '../../../store/workspaces.ts';
import type { ServiceParts } from '../../parts.ts';
import { severalAtATime } from '../../../platform/several-at-a-time.ts';
import { standingsOf } from '../pr/pull-view.ts';

type ViewParts = Pick<ServiceParts, 'database' | 'layout'>;

const AT_ONCE = 4;

export function listWorkspaces(parts: ViewParts): { workspaces: WorkspaceSummary[] } {
  const standings = standingsOf(parts.database);
  return {
    workspaces: storedWorkspaces(parts.database).map((workspace) => workspaceSummary(parts, workspace, standings)),
  };
}

/** A workspace with how each of its clones stands now. */
export async function workspaceView(parts: ViewParts, name: string, signal: AbortSignal): Promise<Workspace> {
  const workspace = workspaceOf(parts.database, name);
  const clones = await severalAtATime(workspace.repos, { limit: AT_ONCE, signal }, (repo, ended) =>
    cloneView(parts, workspace, repo, ended),
  );
  return { ...workspaceSummary(parts, workspace), base: workspace.base, clones, pipeline: workspace.pipeline };
}

export function workspaceSummary(
  { database, layout }: ViewParts,
  { name, repos, steps, createdAtMs, task, latestRun }: StoredWorkspace,
  standings = standingsOf(database),
): WorkspaceSummary {
  const pulls = standings.get(name) ?? null;
  return { name, folder: layout.workspace(name), repos, steps, createdAtMs, task, pulls, latestRun };
}

async function cloneView(
  { database, layout }: ViewParts,
  workspace: StoredWorkspace,
  { name: repo, role }: StoredWorkspace['repos'][number],
  signal: AbortSignal,
): Promise<CloneStatus> {
  const root = rootOf(database, repo);
  const { defaultBranch } = root;
  const folder = layout.clone(workspace.name, repo);
  // A repo that is only read has no branch of its own.
  const branch = role === 'edit' ? workspace.name : defaultBranch;
  const standing = await cloneStatus({
    folder,
    rootFolder: layout.root(repo),
    branch,
    defaultBranch,
    role,
    pushedRefs: pushedRefs(root),
    signal,
  });
  return { repo, role, folder, ...standing };
}
