import { createClone } from '../../src/git/clone.ts';
import { fetchRoot } from '../../src/git/root-repo.ts';
import { pinCloneWork, unsavedWork } from '../../src/git/unsaved-work.ts';
import { limit, newRoot, operator, type Scratch } from './scratch.ts';

/** A workspace clone, and what is asked of it before it is deleted. */
export interface Work {
  readonly upstream: string;
  readonly root: string;
  readonly clone: string;
  unsaved(upstreamHead?: string | null): Promise<string[]>;
  pin(upstreamHead?: string | null): Promise<{ ref: string; commit: string }[]>;
  fetch(): Promise<unknown>;
}

export async function working(scratch: Scratch): Promise<Work> {
  const { upstream, root, start } = await newRoot(scratch);
  const clone = scratch.path('clone');
  await createClone({
    rootFolder: root,
    folder: clone,
    branch: 'task',
    commit: start,
    role: 'edit',
    exclude: [],
    signal: limit(),
  });
  const place = { folder: clone, rootFolder: root, branch: 'task', defaultBranch: 'main', signal: limit() };
  return {
    upstream,
    root,
    clone,
    unsaved: async (upstreamHead = null) => unsavedWork({ ...place, upstreamHead }),
    pin: async (upstreamHead = null) =>
      pinCloneWork({ ...place, upstreamHead, refPrefix: 'refs/takt/deleted/task', author: operator }),
    fetch: async () => fetchRoot({ folder: root, upstream, defaultBranch: 'main', signal: limit() }),
  };
}
