import { realpath } from 'node:fs/promises';
import { isAbsolute, relative } from 'node:path';
import { didYouMean } from '../../../config/did-you-mean.ts';
import { Fault } from '../../../contract/faults.ts';
import { WorkspaceName } from '../../../contract/ids.ts';
import type { ParamsOf } from '../../../contract/operation.ts';
import type { repoAdd } from '../../../contract/operations/repo.ts';
import { withoutSecrets } from '../../../contract/secrets.ts';
import { lenderOf, whatUpstreamLacks } from '../../../git/lend-objects.ts';
import { type NormalClone, readClone } from '../../../git/normal-clone.ts';
import type { OnProgress } from '../../../git/progress.ts';
import type { ObjectLender } from '../../../git/root-repo.ts';
import { shellWord } from '../../../git/shell-word.ts';
import type { HomeLayout } from '../../../platform/home-layout.ts';
import { type AdoptedPush, adoptedPush } from './adopted-push.ts';
import { explainUpstream } from './explain-upstream.ts';
import { upstreamAddress } from './upstream-address.ts';

/** How a repo is added of which somebody has a clone already. */
export interface Adoption {
  /** Where the clone came from. */
  readonly upstream: string;
  readonly push: Omit<AdoptedPush, 'notices'>;
  /** Undefined for a clone that lacks objects itself. */
  readonly lender: ObjectLender | undefined;
  /** Says with a fault of the upstream how it came to be asked. */
  explaining<Value>(work: Promise<Value>): Promise<Value>;
  /** Sentences about what was done, and what was left in the clone. */
  notices(rootFolder: string, defaultBranch: string, signal: AbortSignal): Promise<string[]>;
}

type AddParams = Pick<
  ParamsOf<typeof repoAdd>,
  'name' | 'upstream' | 'remote' | 'asUpstream' | 'pushUrl' | 'defaultBranch'
>;
interface Adopting {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

const BRANCHES_NAMED = 20;

/**
 * Looks whether the address leads to a clone with a work tree that has an upstream of its own, which is then the repo's.
 * Undefined for whatever else it is: it is the upstream itself. Reads files only. Fault INPUT_INVALID where the remote
 * has to be chosen, or the one that was chosen is not there.
 */
export async function adoptClone(
  layout: HomeLayout,
  { name, upstream: written, remote: wanted, asUpstream, pushUrl }: AddParams,
  { signal, onProgress }: Adopting,
): Promise<Adoption | undefined> {
  const path = upstreamAddress(written);
  const clone = isAbsolute(path) && !asUpstream ? await readClone(layout.roots, path, { signal }) : null;
  if (clone !== null && clone.remotes.size === 0 && clone.hasIncludes) throw unseenRemotes(clone);
  if (clone === null || clone.remotes.size === 0) {
    if (wanted !== undefined) throw noRemotes(path, wanted, asUpstream);
    return clone === null ? undefined : itself(clone);
  }
  const remote = chosenRemote(clone, wanted);
  const upstream = addressOf(clone, remote);
  if (upstream === clone.folder) return undefined;
  await refuseOwnFolder(layout, clone.folder);
  const push = adoptedPush(clone, { remote, upstream, pushUrl });
  const canLend = clone.lacks === null && !clone.usesSha256;
  const lender = canLend ? lenderOf(clone, remote, { signal, onProgress }) : undefined;
  return {
    upstream,
    push,
    lender,
    explaining: (work) => explainUpstream(work, whence(clone, remote)),
    notices: async (rootFolder, defaultBranch, ended) => [
      `Its upstream is ${withoutSecrets(upstream)}, the remote ${remote} of ${clone.folder}; that clone is as it was.`,
      ...push.notices,
      ...lendingNotices(clone, lender?.hasLent() ?? false),
      ...otherRemotes(clone, remote),
      ...(await whatStays(clone, { name, rootFolder, defaultBranch, signal: ended })),
    ],
  };
}

/** A repository with a work tree that came from nowhere: it may be meant, but what that means is said. */
function itself({ folder }: NormalClone): Adoption {
  return {
    upstream: folder,
    push: { pushUrl: undefined, explaining: (work) => work },
    lender: undefined,
    explaining: (work) => work,
    notices: () =>
      Promise.resolve([
        `Its upstream is ${folder} itself, which has no remote: what is pushed upstream goes into that repository.`,
      ]),
  };
}

function unseenRemotes({ folder }: NormalClone): Fault {
  return new Fault(
    'INPUT_INVALID',
    `The configuration of the clone ${folder} has no remote and includes other files, which takt does not read.`,
    { hint: 'Name its upstream by the URL that `git remote -v` shows there. Or --as-upstream takes the clone itself.' },
  );
}

function noRemotes(path: string, wanted: string, asUpstream: boolean): Fault {
  const why = asUpstream ? 'is to be the upstream itself' : 'is no clone with remotes';
  return new Fault('INPUT_INVALID', `${path} ${why}, so that --remote ${wanted} names nothing.`, {
    hint: 'Leave --remote out.',
  });
}

function chosenRemote({ folder, remotes }: NormalClone, wanted: string | undefined): string {
  const names = [...remotes.keys()];
  const list = names.map((name) => `${name} (${withoutSecrets(remotes.get(name)!)})`).join(', ');
  if (wanted !== undefined) {
    if (remotes.has(wanted)) return wanted;
    throw new Fault('INPUT_INVALID', `The clone ${folder} has no remote ${wanted}.${didYouMean(wanted, names)}`, {
      hint: `It has: ${list}.`,
    });
  }
  if (names.length === 1) return names[0]!;
  if (remotes.has('origin')) return 'origin';
  throw new Fault('INPUT_INVALID', `The clone ${folder} has ${names.length} remotes, and none is called origin.`, {
    hint: `Name its upstream with --remote: ${list}. Or --as-upstream takes the clone itself.`,
  });
}

function addressOf({ folder, remotes }: NormalClone, remote: string): string {
  try {
    return upstreamAddress(remotes.get(remote)!);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault(error.code, `The remote ${remote} of ${folder}: ${error.message}`, {
      hint: 'Name the upstream by its URL, or --as-upstream takes the clone itself.',
      cause: error,
    });
  }
}

/** Agents write in these, and their origin is a root repo or nothing. */
async function refuseOwnFolder({ workspaces, runs }: HomeLayout, folder: string): Promise<void> {
  const place = await realpath(folder);
  for (const own of [workspaces, runs]) {
    const way = relative(await realpath(own), place);
    if (way.startsWith('..') || isAbsolute(way)) continue;
    throw new Fault('INPUT_INVALID', `${folder} is a folder of takt's own.`, {
      hint: 'Name the repository that it came from.',
    });
  }
}

function whence({ folder, usesSha256 }: NormalClone, remote: string): string {
  const other = usesSha256 ? '' : '; --as-upstream takes that clone itself';
  return `It is the remote ${remote} of ${folder}${other}.`;
}

function lendingNotices({ lacks, usesSha256 }: NormalClone, hasLent: boolean): string[] {
  if (usesSha256)
    return ['The clone names its objects by SHA-256, so that nothing was taken from it: all came from upstream.'];
  if (lacks === 'shallow') return ['The clone is shallow, so that nothing was taken from it: all came from upstream.'];
  if (lacks === 'partial') return ['The clone is partial, so that nothing was taken from it: all came from upstream.'];
  return hasLent ? [] : ['git could not read the clone, so that nothing was taken from it: all came from upstream.'];
}

function otherRemotes({ remotes }: NormalClone, remote: string): string[] {
  const others = [...remotes].filter(([name]) => name !== remote);
  if (others.length === 0) return [];
  const list = others.map(([name, address]) => `${name} (${withoutSecrets(address)})`).join(', ');
  return [`The clone has other remotes too: ${list}. --remote takes one of them as the upstream instead.`];
}

interface Root {
  readonly name: string;
  readonly rootFolder: string;
  readonly defaultBranch: string;
  readonly signal: AbortSignal;
}

/** What the clone's owner has not pushed stays there. */
async function whatStays(clone: NormalClone, root: Root): Promise<string[]> {
  // Nothing of it could be brought in, and none of its names compared.
  if (clone.usesSha256) return [];
  const { branches, detachedHead, hasStashes } = await whatUpstreamLacks(root.rootFolder, clone, root);
  const others = [
    ...(detachedHead === null ? [] : [`the commit ${detachedHead.slice(0, 8)}, checked out without a branch`]),
    ...(hasStashes ? ['its stashes'] : []),
  ];
  return [
    ...keptBranches(clone, branches, root),
    ...(others.length === 0 ? [] : [`In the clone alone there are also ${others.join(', and ')}.`]),
  ];
}

/** The command that brings a branch in is one that works. */
function keptBranches(clone: NormalClone, branches: readonly string[], p: Root): string[] {
  const [first] = branches;
  if (first === undefined) return [];
  const named = branches.slice(0, BRANCHES_NAMED).join(', ');
  const more = branches.length > BRANCHES_NAMED ? `, and ${branches.length - BRANCHES_NAMED} more` : '';
  const workspace = workspaceFor(first, p.defaultBranch);
  const spec = workspace === first ? first : `refs/heads/${first}:refs/heads/${workspace}`;
  const push = ['git', '-C', clone.folder, 'push', p.rootFolder, spec].map(shellWord).join(' ');
  return [
    `Upstream lacks commits of these branches of the clone, which were not taken over: ${named}${more}.`,
    `To go on with ${first}: ${push} && takt workspace create ${workspace} ${p.name} --adopt`,
  ];
}

/** A name that a workspace can have, as near to the branch's as can be; the default branch takes no push. */
function workspaceFor(branch: string, defaultBranch: string): string {
  const near = branch
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/^[^a-z0-9]+|[.-]+$/g, '')
    .replaceAll(/\.{2,}/g, '.')
    .slice(0, 58);
  const name = near === defaultBranch ? `${near}-local` : near;
  return WorkspaceName.safeParse(name).success ? name : 'adopted';
}
