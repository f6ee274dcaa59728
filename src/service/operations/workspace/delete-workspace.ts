import { join } from 'node:path';
import type { CommitId } from '../../../contract/ids.ts';
import type { KeptWork } from '../../../contract/kept-work.ts';
import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import type { workspaceDelete } from '../../../contract/operations/workspace.ts';
import { refCommit } from '../../../git/refs.ts';
import { pullsOf } from '../../../store/pull-requests.ts';
import { dropSeenRefsOfBranch } from '../../../store/seen-refs.ts';
import { dropUpstreamHead } from '../../../store/upstream-heads.ts';
import { deleteWorkspace as forgetWorkspace, workspaceOf } from '../../../store/workspaces.ts';
import { wholeOrNot } from '../../half-made.ts';
import type { Call } from '../../http/binding.ts';
import { commit, type ServiceParts } from '../../parts.ts';
import { currentPulls } from '../pr/pull-view.ts';
import { keepBesideClones, linesBesideClones } from './beside-clones.ts';
import { keepWork, refuseUnsavedWork, refuseWhileBusy, unsavedLines } from './unsaved.ts';

/**
 * Deletes a workspace: clones, branches and rows. What is saved nowhere else stops it or, when forced, is pinned or
 * moved aside first.
 */
export async function deleteWorkspace(
  parts: ServiceParts,
  { workspace, force }: ParamsOf<typeof workspaceDelete>,
  { signal }: Call,
): Promise<ReplyOf<typeof workspaceDelete>> {
  const { database, layout, locks } = parts;
  return locks.hold({ exclusive: [`workspace:${workspace}`] }, signal, async () => {
    const { name, repos } = workspaceOf(database, workspace);
    refuseWhileBusy(parts, name);
    if (!force)
      refuseUnsavedWork(name, [
        ...(await unsavedLines(parts, name, repos, signal)),
        ...(await linesBesideClones(parts, name)),
      ]);
    const openPulls = currentPulls(pullsOf(database, name)).filter(({ sight }) => sight.state === 'open');
    const kept: KeptWork = { pins: [], aside: [] };
    if (force) {
      const { pins, aside } = await keepWork(parts, name, repos, signal);
      kept.pins.push(...pins);
      kept.aside.push(...aside, ...(await keepBesideClones(parts, name)));
    }

    const branches = await branchesOf(
      parts,
      name,
      repos.filter(({ role }) => role === 'edit').map((repo) => repo.name),
      signal,
    );
    const folders = [layout.workspace(name), join(layout.caches, name)];
    // Once the store knows the workspace no more, its folders and branches have no right to be there.
    await wholeOrNot(
      parts,
      { workspace: name, repos: repos.map((repo) => repo.name), folders, temporary: [], branches },
      async () => {
        refuseWhileBusy(parts, name);
        commit(parts, [{ topic: 'workspace.update', workspace: name, data: { change: 'deleted' } }], () => {
          forgetWorkspace(database, name);
          dropSeenRefsOfBranch(database, name);
          for (const repo of repos) dropUpstreamHead(database, repo.name, name);
        });
      },
    );
    return { deleted: name, ...kept, openPulls: openPulls.map(({ url }) => url) };
  });
}

/** The branches as they stand; one that moves afterwards is left alone. */
export async function branchesOf(
  { layout }: Pick<ServiceParts, 'layout'>,
  workspace: string,
  repos: readonly string[],
  signal: AbortSignal,
): Promise<{ rootFolder: string; branch: string; commit: string }[]> {
  const found = await Promise.all(
    repos.map(async (repo) => {
      const rootFolder = layout.root(repo);
      const head = (await refCommit(rootFolder, `refs/heads/${workspace}`, { signal })) as CommitId | null;
      return head === null ? [] : [{ rootFolder, branch: workspace, commit: head }];
    }),
  );
  return found.flat();
}
