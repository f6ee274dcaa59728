import { Fault } from '../../../contract/faults.ts';
import { dropForkRefs, fetchFork } from '../../../git/fork.ts';
import { readRefs } from '../../../git/refs.ts';
import { UPSTREAM_REFS } from '../../../git/root-repo.ts';
import { dropUpstreamHead, recordUpstreamHead, upstreamHead } from '../../../store/upstream-heads.ts';
import { workspacesOfRepo } from '../../../store/workspaces.ts';
import type { ServiceParts } from '../../parts.ts';

interface Pushed {
  readonly name: string;
  readonly upstream: string;
  readonly pushUrl: string;
}

/**
 * Notes where the workspaces' branches stand that are pushed to: a push expects exactly that. They are upstream's, which
 * was just fetched, or those of the fork, which is asked for them. A fork that does not answer is a fault of this fetch,
 * and what was known of it stays.
 */
export async function notePushedHeads(
  { database, layout }: Pick<ServiceParts, 'database' | 'layout'>,
  { name, upstream, pushUrl }: Pushed,
  signal: AbortSignal,
): Promise<void> {
  const folder = layout.root(name);
  const branches = workspacesOfRepo(database, name);
  if (pushUrl === upstream) await dropForkRefs(folder, () => true, { signal });
  const heads: ReadonlyMap<string, string> =
    pushUrl === upstream
      ? await readRefs(folder, UPSTREAM_REFS, { signal })
      : await forkHeads({ name, folder, pushUrl, branches, signal });
  database.transaction(() => {
    for (const branch of branches) {
      const commitNow = heads.get(branch);
      if (commitNow === (upstreamHead(database, name, branch) ?? undefined)) continue;
      if (commitNow === undefined) dropUpstreamHead(database, name, branch);
      else recordUpstreamHead(database, { repo: name, branch, commit: commitNow, atMs: Date.now() });
    }
  });
}

async function forkHeads({
  name,
  ...p
}: Parameters<typeof fetchFork>[0] & { readonly name: string }): Promise<Map<string, string>> {
  try {
    return await fetchFork(p);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault(error.code, `The fork that ${name} is pushed to: ${error.message}`, {
      hint: error.hint,
      cause: error,
      ...(error.detail === undefined ? {} : { detail: error.detail }),
    });
  }
}
