import { cloneStatus, createClone, type CloneStanding } from '../../src/git/clone.ts';
import { pullClone } from '../../src/git/pull-clone.ts';
import { commit, limit, newRoot, run, type Scratch } from './scratch.ts';

/** A workspace clone with its root repo and upstream. */
export interface Place {
  readonly upstream: string;
  readonly root: string;
  readonly start: string;
  readonly clone: string;
  status(): Promise<CloneStanding>;
  pull(): ReturnType<typeof pullClone>;
}

export async function cloned(scratch: Scratch): Promise<Place> {
  const { upstream, root, start } = await newRoot(scratch);
  const clone = scratch.path('workspaces', 'task', 'app');
  await createClone({
    rootFolder: root,
    folder: clone,
    branch: 'task',
    commit: start,
    role: 'edit',
    exclude: ['CLAUDE.md', '.env'],
    signal: limit(),
  });
  const place = { folder: clone, rootFolder: root, branch: 'task', signal: limit() };
  return {
    upstream,
    root,
    start,
    clone,
    status: async () => cloneStatus({ ...place, defaultBranch: 'main', role: 'edit' }),
    pull: async () => pullClone(place),
  };
}

/** Makes a commit on the root repo's branch as a landing does, without the clone. */
export function land(root: string, files: Record<string, string>, scratch: Scratch): string {
  const other = scratch.path(`other-${Math.random()}`);
  run(scratch.folder, 'clone', '--quiet', '--branch=task', root, other);
  const landed = commit(other, files, 'landed');
  run(other, 'push', '--quiet', 'origin', 'task');
  return landed;
}
