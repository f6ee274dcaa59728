import { Fault } from '../../../contract/faults.ts';
import type { RepoName, WorkspaceName } from '../../../contract/ids.ts';
import type { KeptWork } from '../../../contract/kept-work.ts';
import { asText, below, type BytePath } from '../../../git/byte-paths.ts';
import { cloneObstacle } from '../../../git/clone-files.ts';
import { reposWithWork } from '../../../git/repos-with-work.ts';
import { pinCloneWork, pinsBelow, unsavedWork } from '../../../git/unsaved-work.ts';
import { mergedHeads } from '../../../store/pull-requests.ts';
import { rootOf } from '../../../store/roots.ts';
import { activeRuns } from '../../../store/runs.ts';
import { upstreamHead } from '../../../store/upstream-heads.ts';
import { keptPrefix } from '../../kept-work.ts';
import type { ServiceParts } from '../../parts.ts';
import { moveAside } from './move-aside.ts';

type Parts = Pick<ServiceParts, 'config' | 'database' | 'layout'>;

interface OwnRepo {
  readonly name: RepoName;
  readonly role: 'edit' | 'read';
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

/** A line per thing in the clones that is saved nowhere else. */
export async function unsavedLines(
  { database, layout }: Parts,
  workspace: WorkspaceName,
  repos: readonly OwnRepo[],
  signal: AbortSignal,
): Promise<string[]> {
  const lines: string[] = [];
  for (const { name: repo, role } of repos) {
    const sentences = await unsavedWork(placeOf({ database, layout }, workspace, { name: repo, role }, signal));
    lines.push(...sentences.map((sentence) => `${repo}: ${sentence}`));
  }
  return lines;
}

/** Fault WORKSPACE_HAS_WORK with these lines, if there are any. */
export function refuseUnsavedWork(workspace: WorkspaceName, lines: readonly string[]): void {
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
 * Keeps what `unsavedLines` would name: pinned in the root repo, or moved aside where no commit of it can hold that. A
 * branch whose work is safe gets no pin. A clone that git cannot read is moved aside whole.
 */
export async function keepWork(
  parts: Pick<ServiceParts, 'config' | 'database' | 'layout' | 'log'>,
  workspace: WorkspaceName,
  repos: readonly OwnRepo[],
  signal: AbortSignal,
): Promise<KeptWork> {
  const { config, database, layout } = parts;
  const kept: { pins: KeptWork['pins']; aside: KeptWork['aside'] } = { pins: [], aside: [] };
  const author = config.settings().author ?? { name: 'takt', email: 'takt@localhost' };
  for (const { name: repo, role } of repos) {
    const place = placeOf({ database, layout }, workspace, { name: repo, role }, signal);
    const refPrefix = keptPrefix(workspace, Date.now());
    const rest = await pinAllPossible({ ...place, refPrefix, author });
    kept.pins.push(...(await pinsBelow(refPrefix, place)).map((pin) => ({ repo, ...pin })));
    for (const path of rest) {
      const from = path === '' ? repo : `${repo}/${asText(path)}`;
      const name = `${workspace}-${from}`;
      kept.aside.push({ from, to: await moveAside(parts, below(Buffer.from(place.folder), path), name) });
    }
  }
  return kept;
}

/** Gives the paths in the clone of what cannot be pinned; the empty one is the clone itself. */
async function pinAllPossible(p: Parameters<typeof pinCloneWork>[0]): Promise<BytePath[]> {
  try {
    await pinCloneWork(p);
    if (isBroken(await cloneObstacle(p.folder))) return [''];
    const repos = await reposWithWork(p);
    return repos.every(({ isApart }) => isApart) ? repos.map(({ path }) => path) : [''];
  } catch (error) {
    // What git cannot bring into the root repo, such as a branch whose objects are damaged, stays in its files.
    if (error instanceof Fault && error.code === 'GIT_FAILED' && (await cloneObstacle(p.folder)) !== 'missing')
      return [''];
    throw error;
  }
}

const isBroken = (obstacle: Awaited<ReturnType<typeof cloneObstacle>>): boolean =>
  obstacle !== null && obstacle !== 'missing';
