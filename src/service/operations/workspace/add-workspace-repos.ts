import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../../contract/faults.ts';
import type { ParamsOf } from '../../../contract/operation.ts';
import type { workspaceAddRepo } from '../../../contract/operations/workspace.ts';
import type { Workspace } from '../../../contract/workspace.ts';
import { isThere, makeFolder, syncFolder } from '../../../platform/files.ts';
import { listRoots } from '../../../store/roots.ts';
import { addWorkspaceRepo, workspaceOf } from '../../../store/workspaces.ts';
import { afterCommit } from '../../after-commit.ts';
import { pictureOf, refreshWorkspaceGuidance } from '../../guidance/workspace-guidance.ts';
import { halfMadeFolder, wholeOrNot } from '../../half-made.ts';
import type { Call } from '../../http/binding.ts';
import { commit, type ServiceParts } from '../../parts.ts';
import { chosenRepos, intentOf, recordBranches } from './create-workspace.ts';
import { makeClones } from './make-clones.ts';
import { planBranches } from './plan-branches.ts';
import { workspaceView } from './workspace-view.ts';

/** Adds repos to a workspace, all or none of them. */
export async function addWorkspaceRepos(
  parts: ServiceParts,
  params: ParamsOf<typeof workspaceAddRepo>,
  call: Call,
): Promise<Workspace> {
  const { layout, database } = parts;
  const { workspace } = params;
  workspaceOf(database, workspace);
  const repos = chosenRepos(parts, params);
  if (repos.length === 0)
    throw new Fault('INPUT_INVALID', 'No repo is named.', { hint: 'Name repos, or give --read REPO.' });
  const keys = { exclusive: [`workspace:${workspace}`], shared: repos.map(({ repo }) => `repo:${repo}`) };
  return parts.locks.hold(keys, call.signal, async () => {
    const before = pictureOf(parts, workspace);
    await refuseTaken(
      parts,
      workspace,
      repos.map(({ repo }) => repo),
    );
    const plans = await planBranches(
      parts,
      { workspace, repos, from: params.from ?? baseOf(parts, workspace), adopt: params.adopt },
      call.signal,
    );
    const half = halfMadeFolder(layout, layout.workspace(workspace));
    const folders = repos.map(({ repo }) => layout.clone(workspace, repo));
    await wholeOrNot(parts, { ...intentOf(workspace, plans), folders, temporary: [half] }, async () => {
      await makeFolder(half);
      await makeFolder(layout.workspace(workspace));
      await makeClones(parts, { workspace, folder: half, plans }, call);
      call.signal.throwIfAborted();
      for (const { repo } of repos) await rename(join(half, repo), layout.clone(workspace, repo));
      await syncFolder(layout.workspace(workspace));
      commit(parts, [{ topic: 'workspace.update', workspace, data: { change: 'repos' } }], () => {
        for (const { repo, role } of repos) addWorkspaceRepo(database, workspace, repo, role);
        recordBranches(parts, workspace, plans);
      });
    });
    await refreshWorkspaceGuidance(parts, before);
    return workspaceView(parts, workspace, afterCommit());
  });
}

/** The branch that the workspace began from, unless that was a default branch, which each repo has of its own. */
function baseOf({ database }: ServiceParts, workspace: string): string | undefined {
  const { base } = workspaceOf(database, workspace);
  return listRoots(database).some(({ defaultBranch }) => defaultBranch === base) ? undefined : base;
}

async function refuseTaken(
  { database, layout }: ServiceParts,
  workspace: string,
  repos: readonly string[],
): Promise<void> {
  const has = workspaceOf(database, workspace).repos.map(({ name }) => String(name));
  for (const repo of repos) {
    if (has.includes(repo))
      throw new Fault('INPUT_INVALID', `The workspace ${workspace} has the repo ${repo} already.`, {
        hint: '`takt workspace show` lists its repos.',
      });
    const folder = layout.clone(workspace, repo);
    if (await isThere(folder))
      throw new Fault('CLONE_BROKEN', `${folder} is there, though the workspace does not have the repo.`, {
        hint: 'Move that folder away, then repeat.',
      });
  }
}
