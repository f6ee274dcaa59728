import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { addRepoEntry, checkRepoEntry, removeRepoEntry } from '../../../config/edit-repos.ts';
import { Fault } from '../../../contract/faults.ts';
import type { ParamsOf } from '../../../contract/operation.ts';
import type { repoAdd } from '../../../contract/operations/repo.ts';
import { type Repo, RepoConfig } from '../../../contract/repo.ts';
import { createRoot } from '../../../git/root-repo.ts';
import { askUpstream } from '../../../git/upstream.ts';
import { isThere, makeFolder } from '../../../platform/files.ts';
import { deleteRoot, insertRoot, recordFetch } from '../../../store/roots.ts';
import { afterCommit } from '../../after-commit.ts';
import type { Call } from '../../http/binding.ts';
import { commit, type ServiceParts } from '../../parts.ts';
import { adoptClone } from './adopt-clone.ts';
import { knownRepo, knownRepos, repoView } from './repo-view.ts';
import { upstreamAddress } from './upstream-address.ts';

/** Names that a file of a workspace has. */
const RESERVED = ['claude.md', 'claude.local.md', 'feedback.md'];

/** Mirrors an upstream and lists it: root repo, `repos.yaml` and store, all or nothing. */
export async function addRepo(
  parts: ServiceParts,
  params: ParamsOf<typeof repoAdd>,
  { signal, progress }: Call,
): Promise<Repo> {
  const { layout, locks } = parts;
  const { name } = params;
  return locks.hold({ exclusive: [`repo:${name}`] }, signal, async () => {
    refuseTakenName(parts, name);
    const onProgress = (text: string, percent: number | null): void => progress(name, text, percent);
    const adoption = await adoptClone(layout, params, { signal, onProgress });
    const entry = entryOf({
      ...params,
      upstream: adoption?.upstream ?? params.upstream,
      pushUrl: params.pushUrl ?? adoption?.push.pushUrl,
    });
    for (const need of params.dependsOn) knownRepo(parts, need);
    await checkRepoEntry(layout.reposFile, entry);
    const folder = layout.root(name);
    await setAside(parts, folder);

    const { upstream, push_url: pushUrl = upstream } = entry;
    const { defaultBranch: wanted } = params;
    // A fork that cannot be asked now could not be pushed to later.
    if (pushUrl !== upstream) {
      const asking = askUpstream(dirname(folder), pushUrl, { signal });
      await (adoption?.push.explaining(asking) ?? asking);
    }
    const lender = adoption?.lender;
    const making = createRoot({
      folder,
      upstream,
      signal,
      onProgress,
      ...(wanted === undefined ? {} : { defaultBranch: wanted }),
      ...(lender === undefined ? {} : { lender }),
    });
    const made = await (adoption?.explaining(making) ?? making);
    try {
      signal.throwIfAborted();
      await addRepoEntry(layout.reposFile, entry);
      commit(parts, [{ topic: 'repo.update', data: { repo: name, change: 'added' } }], () => {
        insertRoot(parts.database, { repo: name, upstream, pushUrl, defaultBranch: made.defaultBranch });
        recordFetch(parts.database, name, { atMs: Date.now(), fault: null });
      });
      await parts.watching.repoAdded(name);
    } catch (error) {
      await undo(parts, name, folder);
      throw error;
    }
    const view = await repoView(parts, name, afterCommit());
    const told = (await adoption?.notices(folder, made.defaultBranch, afterCommit())) ?? [];
    return { ...view, notices: [...told, ...view.notices] };
  });
}

function entryOf(params: ParamsOf<typeof repoAdd>): RepoConfig {
  return RepoConfig.parse({
    name: params.name,
    upstream: upstreamAddress(params.upstream),
    push_url: params.pushUrl === undefined ? undefined : upstreamAddress(params.pushUrl),
    default_branch: params.defaultBranch,
    depends_on: params.dependsOn,
    setup: params.setup,
    copy: params.copy,
    cache: params.cache,
  });
}

function refuseTakenName(parts: ServiceParts, name: string): void {
  if (RESERVED.includes(name.toLowerCase()))
    throw new Fault('NAME_RESERVED', `No repo may be called ${name}: a file of every workspace has that name.`);
  const taken = knownRepos(parts).find((repo) => repo.name.toLowerCase() === name.toLowerCase());
  if (taken !== undefined) throw new Fault('REPO_EXISTS', `There is a repo ${taken.name} already.`);
}

/** A folder that neither the configuration nor the store knows is not ours to remove, but it must not be in the way. */
async function setAside({ layout, log }: ServiceParts, folder: string): Promise<void> {
  if (!(await isThere(folder))) return;
  const aside = join(layout.state, 'aside', `root-${basename(folder)}-${Date.now()}`);
  await makeFolder(dirname(aside));
  await rename(folder, aside);
  log.warn({ folder, aside }, 'a root repo that no configuration knows was set aside');
}

async function undo(parts: ServiceParts, name: string, folder: string): Promise<void> {
  deleteRoot(parts.database, name);
  await removeRepoEntry(parts.layout.reposFile, name);
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
