import { Fault } from '../../../contract/faults.ts';
import type { CommitId, RepoName, WorkspaceName } from '../../../contract/ids.ts';
import { unsavedWork } from '../../../git/unsaved-work.ts';
import { pinCloneWork } from '../../../git/pin-clone-work.ts';
import { pinCommits, refCommit } from '../../../git/refs.ts';
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
  const hint = run.state === 'waiting' ? `Approve or reject it first: \`takt run reject ${workspace}/${run.number}\`.` : `Wait for it, or \`takt run cancel ${workspace}/${run.number}\`.`;
  throw new Fault('WORKSPACE_BUSY', `Run ${run.number} of ${workspace} is ${run.state}.`, { hint });
}

/** Fault WORKSPACE_HAS_WORK with a line per thing that is saved nowhere else. */
export async function refuseUnsavedWork({ database, layout }: Parts, workspace: WorkspaceName, repos: readonly OwnRepo[], signal: AbortSignal): Promise<void> {
  const lines: string[] = [];
  for (const { name: repo, role } of repos) {
    const { defaultBranch } = rootOf(database, repo);
    const sentences = await unsavedWork({
      folder: layout.clone(workspace, repo),
      rootFolder: layout.root(repo),
      branch: role === 'edit' ? workspace : defaultBranch,
      defaultBranch,
      upstreamHead: upstreamHead(database, repo, workspace),
      signal,
    });
    lines.push(...sentences.map((sentence) => `${repo}: ${sentence}`));
  }
  if (lines.length > 0) throw new Fault('WORKSPACE_HAS_WORK', `The workspace ${workspace} holds work that is saved nowhere else.`, { detail: lines.join('\n') });
}

/** Pins the branch and all unsaved work of a clone in the root repo. */
export async function keepWork({ config, database, layout }: Parts, workspace: WorkspaceName, repos: readonly OwnRepo[], signal: AbortSignal): Promise<KeptPin[]> {
  const pins: KeptPin[] = [];
  const author = config.settings().author ?? { name: 'takt', email: 'takt@localhost' };
  for (const { name: repo, role } of repos) {
    const rootFolder = layout.root(repo);
    const refPrefix = keptPrefix(workspace, Date.now());
    const branch = role === 'edit' ? workspace : rootOf(database, repo).defaultBranch;
    const kept = await pinCloneWork({ folder: layout.clone(workspace, repo), rootFolder, refPrefix, branch, author, signal });
    const head = role === 'edit' ? await refCommit(rootFolder, `refs/heads/${workspace}`, { signal }) : null;
    const ofBranch = head === null ? [] : [{ ref: `${refPrefix}/branch`, commit: head }];
    await pinCommits(rootFolder, ofBranch, { signal });
    pins.push(...[...ofBranch, ...kept].map(({ ref, commit }) => ({ repo, ref, commit: commit as CommitId })));
  }
  return pins;
}
