import { join } from 'node:path';
import { Fault } from '../../../contract/faults.ts';
import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import type { workspaceRemoveRepo } from '../../../contract/operations/workspace.ts';
import { dropSeenRef } from '../../../store/seen-refs.ts';
import { dropUpstreamHead } from '../../../store/upstream-heads.ts';
import { removeWorkspaceRepo as forgetRepo, workspaceOf } from '../../../store/workspaces.ts';
import { afterCommit } from '../../after-commit.ts';
import { pictureOf, refreshWorkspaceGuidance } from '../../guidance/workspace-guidance.ts';
import { wholeOrNot } from '../../half-made.ts';
import type { Call } from '../../http/binding.ts';
import { commit, type ServiceParts } from '../../parts.ts';
import { branchesOf } from './delete-workspace.ts';
import { keepWork, refuseUnsavedWork, refuseWhileBusy, unsavedLines } from './unsaved.ts';
import { workspaceView } from './workspace-view.ts';

/** Takes one repo out of a workspace; what is saved nowhere else stops it or, when forced, is kept elsewhere first. */
export async function removeWorkspaceRepo(
  parts: ServiceParts,
  { workspace, repo, force }: ParamsOf<typeof workspaceRemoveRepo>,
  { signal }: Call,
): Promise<ReplyOf<typeof workspaceRemoveRepo>> {
  const { database, layout, locks } = parts;
  return locks.hold({ exclusive: [`workspace:${workspace}`] }, signal, async () => {
    const before = pictureOf(parts, workspace);
    const { name, repos } = workspaceOf(database, workspace);
    const own = repos.find((each) => each.name === repo);
    if (own === undefined)
      throw new Fault('REPO_NOT_FOUND', `The workspace ${name} has no repo ${repo}.`, {
        hint: '`takt workspace show` lists its repos.',
      });
    if (own.role === 'edit' && repos.filter(({ role }) => role === 'edit').length === 1) {
      throw new Fault('INPUT_INVALID', `${repo} is the only repo that ${name} changes.`, {
        hint: '`takt workspace delete` deletes the whole workspace.',
      });
    }
    refuseWhileBusy(parts, name);
    if (!force) refuseUnsavedWork(name, await unsavedLines(parts, name, [own], signal));
    const kept = force ? await keepWork(parts, name, [own], signal) : { pins: [], aside: [] };

    const branches = own.role === 'edit' ? await branchesOf(parts, name, [repo], signal) : [];
    const folders = [layout.clone(name, repo), join(layout.caches, name, repo)];
    await wholeOrNot(parts, { workspace: name, repos: [repo], folders, temporary: [], branches }, async () => {
      commit(parts, [{ topic: 'workspace.update', workspace: name, data: { change: 'repos' } }], () => {
        forgetRepo(database, name, repo);
        dropSeenRef(database, repo, name);
        dropUpstreamHead(database, repo, name);
      });
    });
    await refreshWorkspaceGuidance(parts, before);
    return { ...(await workspaceView(parts, name, afterCommit())), ...kept };
  });
}
