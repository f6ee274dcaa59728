import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../../contract/faults.ts';
import type { ParamsOf } from '../../../contract/operation.ts';
import type { workspaceCreate } from '../../../contract/operations/workspace.ts';
import type { RepoRole, Workspace } from '../../../contract/workspace.ts';
import { isThere, makeFolder, syncFolder, writeFileDurably } from '../../../platform/files.ts';
import { sha256 } from '../../../platform/sha256.ts';
import { listRoots } from '../../../store/roots.ts';
import { setSeenRef } from '../../../store/seen-refs.ts';
import { recordUpstreamHead } from '../../../store/upstream-heads.ts';
import { findWorkspace, insertWorkspace, setGuidanceDigest } from '../../../store/workspaces.ts';
import { afterCommit } from '../../after-commit.ts';
import { workspaceGuidanceText } from '../../guidance/workspace-guidance.ts';
import { halfMadeFolder, type Intent, wholeOrNot } from '../../half-made.ts';
import type { Call } from '../../http/binding.ts';
import { commit, type ServiceParts } from '../../parts.ts';
import { mirroredRoot } from '../repo/repo-view.ts';
import { makeClones } from './make-clones.ts';
import { planBranches, type RepoPlan } from './plan-branches.ts';
import { workspaceView } from './workspace-view.ts';

/** Makes a workspace: branches, clones, guidance and the store's rows, all or nothing. */
export async function createWorkspace(
  parts: ServiceParts,
  params: ParamsOf<typeof workspaceCreate>,
  call: Call,
): Promise<Workspace> {
  const { layout, database } = parts;
  const { workspace } = params;
  const repos = chosenRepos(parts, params);
  const task = taskOf(params.task);
  const keys = { exclusive: [`workspace:${workspace}`], shared: repos.map(({ repo }) => `repo:${repo}`) };
  return parts.locks.hold(keys, call.signal, async () => {
    await refuseTakenName(parts, workspace);
    const plans = await planBranches(parts, { workspace, repos, from: params.from, adopt: params.adopt }, call.signal);
    const folder = layout.workspace(workspace);
    const half = halfMadeFolder(layout, folder);
    await wholeOrNot(parts, { ...intentOf(workspace, plans), folders: [folder], temporary: [half] }, async () => {
      await makeFolder(half);
      await makeClones(parts, { workspace, folder: half, plans }, call);
      const picture = { workspace, task, repos: repos.map(({ repo, role }) => ({ name: repo, role })), pipeline: null };
      const page = workspaceGuidanceText(parts, picture);
      await writeFileDurably(join(half, 'CLAUDE.md'), page);
      call.signal.throwIfAborted();
      await rename(half, folder);
      await syncFolder(layout.workspaces);
      commit(parts, [{ topic: 'workspace.update', workspace, data: { change: 'created' } }], () => {
        insertWorkspace(database, {
          name: workspace,
          base: params.from ?? mirroredRoot(parts, repos[0]!.repo).defaultBranch,
          createdAtMs: Date.now(),
          task,
          repos,
        });
        setGuidanceDigest(database, workspace, sha256(page));
        recordBranches(parts, workspace, plans);
      });
    });
    return workspaceView(parts, workspace, afterCommit());
  });
}

/** A text without anything to read is none. */
export const taskOf = (text: string | undefined): string | null => (text ?? '').trim() || null;

/** Each repo once, those that are changed first. */
export function chosenRepos(
  parts: Pick<ServiceParts, 'config' | 'database'>,
  { repos, read }: { repos: readonly string[]; read: readonly string[] },
): { repo: string; role: RepoRole }[] {
  const both = repos.find((repo) => read.includes(repo));
  if (both !== undefined)
    throw new Fault('INPUT_INVALID', `The repo ${both} is named both to be changed and only to be read.`, {
      hint: 'Name it once.',
    });
  const chosen = [...new Set(repos)].map((repo) => ({ repo, role: 'edit' as const }));
  const all = [...chosen, ...[...new Set(read)].map((repo) => ({ repo, role: 'read' as const }))];
  for (const { repo } of all) mirroredRoot(parts, repo);
  return all;
}

/** The branches that this makes, which go again if it fails; folders are added by the caller. */
export function intentOf(workspace: string, plans: readonly RepoPlan[]): Omit<Intent, 'folders' | 'temporary'> {
  const made = plans.filter(({ role, before }) => role === 'edit' && before === null);
  return {
    workspace,
    repos: plans.map(({ repo }) => repo),
    branches: made.map(({ rootFolder, branch, commit: at }) => ({ rootFolder, branch, commit: at })),
  };
}

/** What was seen belongs to the transaction of the workspace: making it triggers nothing. */
export function recordBranches(
  { database }: Pick<ServiceParts, 'database'>,
  workspace: string,
  plans: readonly RepoPlan[],
): void {
  for (const { repo, role, commit: at, pushed } of plans) {
    if (role === 'read') continue;
    setSeenRef(database, repo, workspace, at);
    if (pushed !== null) recordUpstreamHead(database, { repo, branch: workspace, commit: pushed, atMs: Date.now() });
  }
}

async function refuseTakenName({ database, layout }: ServiceParts, workspace: string): Promise<void> {
  if (findWorkspace(database, workspace) !== undefined)
    throw new Fault('WORKSPACE_EXISTS', `There is a workspace ${workspace} already.`);
  const owner = listRoots(database).find(({ defaultBranch }) => defaultBranch === workspace);
  if (owner !== undefined || workspace === 'head')
    throw new Fault(
      'NAME_RESERVED',
      `${workspace} is the name of ${owner === undefined ? 'something in git' : `the default branch of ${owner.repo}`}.`,
    );
  const folder = layout.workspace(workspace);
  if (await isThere(folder))
    throw new Fault('WORKSPACE_EXISTS', `The folder ${folder} is there, though no workspace is called ${workspace}.`, {
      hint: 'Move the folder away, or choose another name.',
    });
}
