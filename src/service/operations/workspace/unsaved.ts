import { rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Fault } from '../../../contract/faults.ts';
import type { CommitId, RepoName, WorkspaceName } from '../../../contract/ids.ts';
import { cloneObstacle } from '../../../git/clone-files.ts';
import { pinCloneWork, unsavedWork } from '../../../git/unsaved-work.ts';
import { makeFolder } from '../../../platform/files.ts';
import { mergedHeads } from '../../../store/pull-requests.ts';
import { rootOf } from '../../../store/roots.ts';
import { activeRuns } from '../../../store/runs.ts';
import { upstreamHead } from '../../../store/upstream-heads.ts';
import { keptPrefix } from '../../kept-work.ts';
import type { ServiceParts } from '../../parts.ts';

type Parts = Pick<ServiceParts, 'config' | 'database' | 'layout'>;

interface OwnRepo {
  readonly name: RepoName;
  readonly role: 'edit' | 'read';
}

/** Where work was kept before its clone and branch were deleted. */
export interface KeptPin {
  readonly repo: RepoName;
  readonly ref: string;
  readonly commit: CommitId;
}

/** A run could still land on what is about to go. */
export function refuseWhileBusy({ database }: Parts, workspace: string): void {
  const run = activeRuns(database, workspace)[0];
  if (run === undefined) return;
  const hint =
    run.state === 'waiting'
      ? `Approve or reject it first: \`takt run reject ${workspace}/${run.number}\`.`
      : `Wait for it, or \`takt run cancel ${workspace}/${run.number}\`.`;
  throw new Fault('WORKSPACE_BUSY', `Run ${run.number} of ${workspace} is ${run.state}.`, { hint });
}

/** Fault WORKSPACE_HAS_WORK with a line per thing that is saved nowhere else. */
export async function refuseUnsavedWork(
  { database, layout }: Parts,
  workspace: WorkspaceName,
  repos: readonly OwnRepo[],
  signal: AbortSignal,
): Promise<void> {
  const lines: string[] = [];
  for (const { name: repo, role } of repos) {
    const sentences = await unsavedWork(placeOf({ database, layout }, workspace, { name: repo, role }, signal));
    lines.push(...sentences.map((sentence) => `${repo}: ${sentence}`));
  }
  if (lines.length > 0)
    throw new Fault('WORKSPACE_HAS_WORK', `The workspace ${workspace} holds work that is saved nowhere else.`, {
      detail: lines.join('\n'),
    });
}

function placeOf(
  { database, layout }: Pick<Parts, 'database' | 'layout'>,
  workspace: WorkspaceName,
  { name: repo, role }: OwnRepo,
  signal: AbortSignal,
): Parameters<typeof unsavedWork>[0] {
  const { defaultBranch } = rootOf(database, repo);
  return {
    folder: layout.clone(workspace, repo),
    rootFolder: layout.root(repo),
    branch: role === 'edit' ? workspace : defaultBranch,
    defaultBranch,
    upstreamHead: upstreamHead(database, repo, workspace),
    mergedHeads: mergedHeads(database, workspace, repo),
    signal,
  };
}

/**
 * Pins in the root repo what `refuseUnsavedWork` would name; a branch whose work is safe gets no pin. A clone that git
 * cannot read is moved aside whole.
 */
export async function keepWork(
  parts: Pick<ServiceParts, 'config' | 'database' | 'layout' | 'log'>,
  workspace: WorkspaceName,
  repos: readonly OwnRepo[],
  signal: AbortSignal,
): Promise<KeptPin[]> {
  const { config, database, layout } = parts;
  const pins: KeptPin[] = [];
  const author = config.settings().author ?? { name: 'takt', email: 'takt@localhost' };
  for (const { name: repo, role } of repos) {
    const place = placeOf({ database, layout }, workspace, { name: repo, role }, signal);
    const { folder } = place;
    const kept = await pinCloneWork({ ...place, refPrefix: keptPrefix(workspace, Date.now()), author });
    pins.push(...kept.map(({ ref, commit }) => ({ repo, ref, commit })));
    if (isBroken(await cloneObstacle(folder))) await moveAside(parts, folder, `${workspace}-${repo}`);
  }
  return pins;
}

const isBroken = (obstacle: Awaited<ReturnType<typeof cloneObstacle>>): boolean =>
  obstacle !== null && obstacle !== 'missing';

async function moveAside(
  { layout, log }: Pick<ServiceParts, 'layout' | 'log'>,
  folder: string,
  name: string,
): Promise<void> {
  const aside = join(layout.state, 'aside', `${name}-${Date.now()}`);
  await makeFolder(dirname(aside));
  await rename(folder, aside);
  log.warn({ folder, aside }, 'a clone that git cannot read was moved aside');
}
