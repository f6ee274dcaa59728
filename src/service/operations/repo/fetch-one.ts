import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../../contract/faults.ts';
import { FetchResult } from '../../../contract/operations/repo.ts';
import { git } from '../../../git/git.ts';
import { readRefs } from '../../../git/refs.ts';
import { createRoot, type DefaultBranchStanding, fetchRoot, UPSTREAM_REFS } from '../../../git/root-repo.ts';
import { shellWord } from '../../../git/shell-word.ts';
import { isThere } from '../../../platform/files.ts';
import { findRoot, insertRoot, recordFetch, type Root, updateRoot } from '../../../store/roots.ts';
import { findWorkspace } from '../../../store/workspaces.ts';
import { faultOfError } from '../../http/fault-reply.ts';
import type { Progress } from '../../jobs.ts';
import { commit, type ServiceParts } from '../../parts.ts';
import { notePushedHeads } from './note-pushed-heads.ts';
import { knownRepo } from './repo-view.ts';
import { upstreamAddress } from './upstream-address.ts';

/**
 * Fetches one repo, or mirrors it if it was only listed. A failure is in the result and in the store, and leaves other
 * repos alone; only the end of the signal is thrown.
 */
export async function fetchOne(
  parts: ServiceParts,
  name: string,
  { signal, progress }: { signal: AbortSignal; progress: Progress },
): Promise<FetchResult> {
  return parts.locks.hold({ exclusive: [`fetch:${name}`], shared: [`repo:${name}`] }, signal, async () => {
    const before = findRoot(parts.database, name);
    try {
      const changed = await fetchNow(parts, name, signal, (text, percent) => progress(name, text, percent));
      const isNews = changed > 0 || before === undefined || before.fetchFault !== null;
      commit(parts, isNews ? [{ topic: 'repo.update', data: { repo: name, change: 'fetched', changed } }] : [], () =>
        recordFetch(parts.database, name, { atMs: Date.now(), fault: null }),
      );
      return FetchResult.parse({ repo: name, changed, fault: null });
    } catch (error) {
      signal.throwIfAborted();
      const { code, message, hint } = faultOfError(error, parts.log);
      const isNews = before?.fetchFault?.code !== code;
      commit(parts, isNews ? [{ topic: 'repo.update', data: { repo: name, change: 'fetch failed', code } }] : [], () =>
        recordFetch(parts.database, name, { atMs: Date.now(), fault: { code, message } }),
      );
      return FetchResult.parse({ repo: name, changed: 0, fault: { code, message, hint } });
    }
  });
}

async function fetchNow(
  parts: ServiceParts,
  name: string,
  signal: AbortSignal,
  onProgress: (text: string, percent: number | null) => void,
): Promise<number> {
  const { config, root } = knownRepo(parts, name);
  const upstream = config === undefined ? root!.upstream : upstreamAddress(config.upstream);
  const pushUrl = config === undefined ? root!.pushUrl : upstreamAddress(config.push_url ?? config.upstream);
  if (root === undefined)
    return mirror(parts, name, { upstream, pushUrl, defaultBranch: config?.default_branch, signal, onProgress });

  const folder = parts.layout.root(name);
  const defaultBranch = config?.default_branch ?? root.defaultBranch;
  const isOtherBranch = defaultBranch !== root.defaultBranch;
  if (isOtherBranch && findWorkspace(parts.database, defaultBranch) !== undefined) {
    throw new Fault(
      'NAME_RESERVED',
      `${defaultBranch} cannot be the default branch of ${name}: a workspace has that name.`,
    );
  }
  const { changed, standing } = await fetchRoot({ folder, upstream, defaultBranch, signal, onProgress });
  // The root repo's hooks take from HEAD which branch is the default one.
  if (isOtherBranch) await git(folder, ['symbolic-ref', 'HEAD', `refs/heads/${defaultBranch}`], { signal });
  if (isOtherBranch || upstream !== root.upstream || pushUrl !== root.pushUrl)
    updateRoot(parts.database, name, { upstream, pushUrl, defaultBranch });
  await notePushedHeads(parts, { name, upstream, pushUrl }, signal);
  // All else was fetched; this is for a person to see.
  refuseToStay(standing, { name, defaultBranch, folder });
  return changed;
}

/** Faults that stand at the repo until somebody decides: new workspaces would start from what upstream left behind. */
function refuseToStay(
  standing: DefaultBranchStanding,
  { name, defaultBranch, folder }: { name: string; defaultBranch: string; folder: string },
): void {
  switch (standing) {
    case 'followed':
      return;
    case 'gone':
      throw new Fault(
        'BRANCH_MISSING',
        `The default branch ${defaultBranch} of ${name} is gone upstream; ours stays.`,
        {
          hint: 'Name the one that took its place as `default_branch` in repos.yaml, then fetch again.',
        },
      );
    case 'rewritten':
      throw new Fault(
        'UPSTREAM_MOVED',
        `Upstream wrote the history of ${defaultBranch} of ${name} anew; ours stays where it is.`,
        {
          hint: `To take the new one: git -C ${shellWord(folder)} update-ref refs/heads/${defaultBranch} ${UPSTREAM_REFS}${defaultBranch}`,
        },
      );
  }
}

async function mirror(
  parts: ServiceParts,
  name: string,
  p: {
    upstream: string;
    pushUrl: string;
    defaultBranch: string | undefined;
    signal: AbortSignal;
    onProgress: (text: string, percent: number | null) => void;
  },
): Promise<number> {
  const folder = parts.layout.root(name);
  const { defaultBranch: wanted, pushUrl, ...rest } = p;
  const { upstream } = rest;
  // A whole root repo without a row is one whose adding was cut short after its entry was written.
  const defaultBranch = (await isThere(folder))
    ? await headBranch(folder)
    : (await createRoot({ folder, ...rest, ...(wanted === undefined ? {} : { defaultBranch: wanted }) })).defaultBranch;
  commit(parts, [], () => insertRoot(parts.database, { repo: name, upstream, pushUrl, defaultBranch }));
  await parts.watching.repoAdded(name);
  return (await readRefs(folder, UPSTREAM_REFS, p)).size;
}

async function headBranch(folder: string): Promise<Root['defaultBranch']> {
  const head = await readFile(join(folder, 'HEAD'), 'utf8');
  return head.trim().replace(/^ref: refs\/heads\//, '');
}
