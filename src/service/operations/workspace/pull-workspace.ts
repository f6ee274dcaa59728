import { join } from 'node:path';
import type { ParamsOf } from '../../../contract/operation.ts';
import type { FetchResult } from '../../../contract/operations/repo.ts';
import type { PullResult, workspacePull } from '../../../contract/operations/workspace.ts';
import type { RepoRole } from '../../../contract/workspace.ts';
import { pullClone } from '../../../git/pull-clone.ts';
import { resumePull } from '../../../git/resume-pull.ts';
import { pushedRefs } from '../../../git/released-refs.ts';
import { shellWord } from '../../../git/shell-word.ts';
import { shownPaths } from '../../../git/unsaved-work.ts';
import { type BesideUpstream, upstreamBranchRef } from '../../../git/upstream-branch.ts';
import { severalAtATime } from '../../../platform/several-at-a-time.ts';
import { dropClonePull, openClonePull, planClonePull } from '../../../store/clone-pulls.ts';
import { rootOf } from '../../../store/roots.ts';
import { workspaceOf } from '../../../store/workspaces.ts';
import type { Call } from '../../http/binding.ts';
import type { ServiceParts } from '../../parts.ts';
import { fetchOne } from '../repo/fetch-one.ts';
import { type TakenIn, takeInUpstream } from './take-in-upstream.ts';

type Fault = FetchResult['fault'];
type Repo = { readonly name: PullResult['repo']; readonly role: RepoRole };

const AT_ONCE = 4;

/**
 * Brings commits into a workspace: what upstream's branch has, by fast-forward of the root repo's, and then what the
 * root repo has into each clone. One repo that cannot be moved says why, and the others go on. `checkRefs` compares a
 * repo's branches with what was seen.
 */
export async function pullWorkspace(
  parts: ServiceParts & { readonly checkRefs: (repo: string) => Promise<void> },
  params: ParamsOf<typeof workspacePull>,
  call: Call,
): Promise<{ results: PullResult[] }> {
  const { repos: wanted } = workspaceOf(parts.database, params.workspace);
  const faults = params.fetch ? await fetchAll(parts, wanted, call) : new Map<string, Fault>();
  return parts.locks.hold({ exclusive: [`workspace:${params.workspace}`] }, call.signal, async () => {
    const { name: workspace, repos } = workspaceOf(parts.database, params.workspace);
    const results: PullResult[] = [];
    for (const repo of repos) {
      const taken: TakenIn =
        repo.role === 'edit'
          ? await takeInUpstream(parts, { repo: repo.name, branch: workspace }, { ...parts, signal: call.signal })
          : { kind: 'none' };
      const pulled = await pullOne(parts, workspace, repo, call.signal);
      results.push({ ...withUpstream(parts, workspace, pulled, taken), fault: faults.get(repo.name) ?? null });
    }
    return { results };
  });
}

/** An upstream that is away keeps nobody from what the root repo has. */
async function fetchAll(
  parts: ServiceParts,
  repos: readonly Repo[],
  { signal, progress }: Call,
): Promise<Map<string, Fault>> {
  const fetched = await severalAtATime(repos, { limit: AT_ONCE, signal }, ({ name }, ended) =>
    fetchOne(parts, name, { signal: ended, progress }),
  );
  return new Map(fetched.map(({ repo, fault }) => [repo, fault]));
}

type Pulled = Omit<PullResult, 'fault' | 'taken'>;

async function pullOne(
  { database, layout }: ServiceParts,
  workspace: string,
  { name: repo, role }: Repo,
  signal: AbortSignal,
): Promise<Pulled> {
  const branch = role === 'edit' ? workspace : rootOf(database, repo).defaultBranch;
  const place = { folder: layout.clone(workspace, repo), rootFolder: layout.root(repo), branch, signal };
  const cut = openClonePull(database, workspace, repo);
  const aside = join(layout.state, 'aside', `${workspace}-${repo}-${Date.now()}`);
  const made =
    cut === undefined ? [] : await resumePull({ ...place, ...cut, aside, lockedBeforeMs: SERVICE_STARTED_MS });
  if (made === null) {
    const why = 'A pull before was cut short and is to be ended, and another git process works in it (index.lock).';
    return { repo, state: 'refused', from: null, to: null, why };
  }
  try {
    const pulled = await pullClone({
      ...place,
      onForward: (from, to) => planClonePull(database, workspace, repo, { old: from, new: to }),
    });
    return { repo, ...pulled, why: joined(asideWords(made, aside), pulled.why) };
  } finally {
    dropClonePull(database, workspace, repo);
  }
}

/** What nobody would look for who is not told; null if there is nothing. */
function asideWords(made: readonly string[], aside: string): string | null {
  return made.length === 0
    ? null
    : `A pull before was cut short and is done now; what held something else (${shownPaths(made)}) is in ${aside}.`;
}

const joined = (...sentences: readonly (string | null)[]): string | null =>
  sentences.filter((sentence) => sentence !== null).join(' ') || null;

/** Whatever a service before this one left is older. */
const SERVICE_STARTED_MS = Date.now() - process.uptime() * 1000;

function withUpstream(
  parts: ServiceParts,
  workspace: string,
  pulled: Pulled,
  taken: TakenIn,
): Omit<PullResult, 'fault'> {
  const refused = (why: string): Omit<PullResult, 'fault'> => ({
    ...pulled,
    state: 'refused',
    why: joined(pulled.why, why),
    taken: 0,
  });
  switch (taken.kind) {
    case 'none':
      return { ...pulled, taken: 0 };
    case 'taken':
      return { ...pulled, why: joined(pulled.why, underWords(workspace, taken.under)), taken: taken.commits };
    case 'moved':
      return refused('Its branch moved in this moment, so that upstream’s commits were not taken in; repeat it.');
    case 'apart':
      return { ...refused(apartWords(taken.beside)), commands: mergeCommands(parts, workspace, pulled.repo) };
  }
}

function underWords(workspace: string, under: readonly number[]): string | null {
  const [run] = under;
  return run === undefined
    ? null
    : `Run ${workspace}/${run} works on what the branch was before, so that its work does not land by itself: \`takt run land ${workspace}/${run}\` merges it when it is over.`;
}

function apartWords({ ahead, behind }: BesideUpstream): string {
  const commits = (count: number): string => (count === 1 ? 'one commit' : `${count} commits`);
  return `Its branch and upstream’s have gone apart: upstream has ${commits(behind)} that ours lacks, and ours has ${commits(ahead)} of its own.`;
}

/** A clone may fetch from its root repo whatever upstream's branches are there. */
function mergeCommands({ database, layout }: ServiceParts, workspace: string, repo: string): string[] {
  const clone = `git -C ${shellWord(layout.clone(workspace, repo))}`;
  return [
    `${clone} fetch ${shellWord(layout.root(repo))} ${upstreamBranchRef(workspace, pushedRefs(rootOf(database, repo)))}`,
    `${clone} merge --ff --no-edit FETCH_HEAD`,
    `${clone} push`,
  ];
}
