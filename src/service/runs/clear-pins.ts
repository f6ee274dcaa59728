import { listRoots } from '../../store/roots.ts';
import { workspacesOfRepo } from '../../store/workspaces.ts';
import { dropReplaced } from '../watching/drop-replaced.ts';
import type { Desk } from './desk-parts.ts';

/** Drops pins of replaced commits that are safe elsewhere; a repo that fails leaves the others alone. */
export function pinClearing(desk: Pick<Desk, 'database' | 'layout' | 'log' | 'signal'>): () => Promise<void> {
  const comparedOf = new Map<string, Map<string, string>>();
  return async () => {
    for (const { repo, defaultBranch } of listRoots(desk.database)) {
      const compared = comparedOf.get(repo) ?? new Map<string, string>();
      comparedOf.set(repo, compared);
      const watched = workspacesOfRepo(desk.database, repo);
      const rootFolder = desk.layout.root(repo);
      try {
        await dropReplaced({ rootFolder, defaultBranch, watched, compared, signal: desk.signal });
      } catch (error) {
        if (desk.signal.aborted) return;
        desk.log.warn({ err: error, repo }, 'Pins of replaced commits could not be cleared away.');
      }
    }
  };
}
