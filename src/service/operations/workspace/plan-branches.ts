import { Fault } from '../../../contract/faults.ts';
import { isAncestor } from '../../../git/history.ts';
import { readRefs, refCommit } from '../../../git/refs.ts';
import { pushedRefs } from '../../../git/released-refs.ts';
import { UPSTREAM_REFS } from '../../../git/root-repo.ts';
import { upstreamBranchRef } from '../../../git/upstream-branch.ts';
import type { RepoRole } from '../../../contract/workspace.ts';
import type { ServiceParts } from '../../parts.ts';
import { mirroredRoot } from '../repo/repo-view.ts';

/** What a workspace gets of one repo. */
export interface RepoPlan {
  readonly repo: string;
  readonly role: RepoRole;
  readonly rootFolder: string;
  /** The branch that is checked out. */
  readonly branch: string;
  readonly commit: string;
  /** Where the root repo's branch stands now; null if it has to be made. */
  readonly before: string | null;
  /** Upstream's branch of that name, if it has one; of a repo that is pushed to a fork, rather the fork's. */
  readonly upstream: string | null;
  /** The branch that is pushed to, as far as it is known. */
  readonly pushed: string | null;
}

export interface BranchWish {
  readonly workspace: string;
  readonly repos: readonly { readonly repo: string; readonly role: RepoRole }[];
  readonly from: string | undefined;
  readonly adopt: boolean;
}

/**
 * Where each repo's branch begins. Refuses before anything is changed: BRANCH_MISSING if a repo lacks the branch to
 * start
 * from, BRANCH_EXISTS if one has a branch of the workspace's name that was not to be adopted.
 */
export async function planBranches(
  parts: Pick<ServiceParts, 'config' | 'database' | 'layout'>,
  wish: BranchWish,
  signal: AbortSignal,
): Promise<RepoPlan[]> {
  const facts = await Promise.all(wish.repos.map(({ repo, role }) => factsOf(parts, wish, repo, role, signal)));
  const lacking = facts.filter(({ base }) => base === null).map(({ repo }) => repo);
  if (lacking.length > 0)
    throw new Fault(
      'BRANCH_MISSING',
      `There is no branch ${wish.from ?? facts.find(({ base }) => base === null)!.defaultBranch} in ${lacking.join(', ')}.`,
    );
  const taken = facts
    .filter(({ role, before, upstream }) => role === 'edit' && (before ?? upstream) !== null)
    .map(({ repo }) => repo);
  if (taken.length > 0 && !wish.adopt)
    throw new Fault('BRANCH_EXISTS', `The branch ${wish.workspace} exists already in ${taken.join(', ')}.`);
  refuseBelow(wish.workspace, facts);
  return Promise.all(facts.map((fact) => planOf(fact, signal)));
}

/** Git has no branch `a` beside a branch `a/b`, and a push would be the first to meet it. */
function refuseBelow(workspace: string, facts: readonly Facts[]): void {
  const found = facts.find(({ below }) => below.length > 0);
  if (found === undefined) return;
  const [first] = found.below;
  throw new Fault(
    'BRANCH_EXISTS',
    `Upstream of ${found.repo} has a branch ${workspace}/${first}, beside which there can be none named ${workspace}.`,
    { hint: `Choose another name; if that branch is gone by now, \`takt repo fetch ${found.repo}\` and repeat.` },
  );
}

type Facts = Omit<RepoPlan, 'commit'> & {
  readonly base: string | null;
  readonly defaultBranch: string;
  /** Branches where it is pushed to whose names begin with the workspace's and a slash; without that beginning. */
  readonly below: readonly string[];
};

async function factsOf(
  parts: Pick<ServiceParts, 'config' | 'database' | 'layout'>,
  wish: BranchWish,
  repo: string,
  role: RepoRole,
  signal: AbortSignal,
): Promise<Facts> {
  const root = mirroredRoot(parts, repo);
  const { defaultBranch } = root;
  const rootFolder = parts.layout.root(repo);
  const find = (ref: string): Promise<string | null> => refCommit(rootFolder, ref, { signal });
  const ours = (branch: string): Promise<string | null> => find(`refs/heads/${branch}`);
  const theirs = (branch: string): Promise<string | null> => find(UPSTREAM_REFS + branch);
  if (role === 'read') {
    const base = await ours(defaultBranch);
    const none = { upstream: null, pushed: null };
    return { repo, role, rootFolder, branch: defaultBranch, before: base, ...none, base, defaultBranch, below: [] };
  }
  const from = wish.from ?? defaultBranch;
  const [base, before, pushed, onUpstream, below] = await Promise.all([
    ours(from).then((commit) => commit ?? theirs(from)),
    ours(wish.workspace),
    find(upstreamBranchRef(wish.workspace, pushedRefs(root))),
    theirs(wish.workspace),
    readRefs(rootFolder, `${upstreamBranchRef(wish.workspace, pushedRefs(root))}/`, { signal }),
  ]);
  const upstream = pushed ?? onUpstream;
  const place = { repo, role, rootFolder, branch: wish.workspace };
  return { ...place, before, upstream, pushed, base, defaultBranch, below: [...below.keys()] };
}

/** An adopted branch is taken as it stands; if upstream's only went further, that is where it goes on. */
async function planOf(facts: Facts, signal: AbortSignal): Promise<RepoPlan> {
  const { base, repo, role, rootFolder, branch, before, upstream, pushed } = facts;
  const fact = { repo, role, rootFolder, branch, before, upstream, pushed };
  if (role === 'read') return { ...fact, commit: base! };
  if (before !== null && upstream !== null && (await isAncestor(rootFolder, before, upstream, { signal })))
    return { ...fact, commit: upstream };
  return { ...fact, commit: before ?? upstream ?? base! };
}
