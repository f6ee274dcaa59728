import { refCommit } from '../../../git/refs.ts';
import { followUpstream } from '../../../git/root-repo.ts';
import { findRoot } from '../../../store/roots.ts';
import { commit, type ServiceParts } from '../../parts.ts';

const LIMIT_MS = 60_000;

/**
 * Gives a function to be called when a step has fetched upstream's default branch into a ref of its own. What a root
 * repo says of upstream then follows: else a workspace that has merged would seem to have upstream's own commits to
 * push, until the next fetch. That does the same, so that a failure is only logged.
 */
export function followFetched(parts: ServiceParts): (repo: string, ref: string) => void {
  // A fleet merges at once; one follower for each repo waits for its lock.
  const waiting = new Map<string, Set<string>>();
  return (repo, ref) => {
    const refs = waiting.get(repo);
    if (refs !== undefined) {
      refs.add(ref);
      return;
    }
    waiting.set(repo, new Set([ref]));
    const take = (): string[] => {
      const taken = [...(waiting.get(repo) ?? [])];
      waiting.delete(repo);
      return taken;
    };
    follow(parts, repo, take).catch((error: unknown) => {
      take();
      parts.log.warn({ repo, err: error }, 'what a step fetched could not be followed; the next fetch does it');
    });
  };
}

async function follow(parts: ServiceParts, repo: string, take: () => string[]): Promise<void> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  await parts.locks.hold({ exclusive: [`fetch:${repo}`], shared: [`repo:${repo}`] }, signal, async () => {
    const refs = take();
    const root = findRoot(parts.database, repo);
    if (root === undefined) return;
    const { defaultBranch } = root;
    const folder = parts.layout.root(repo);
    const commits = new Set(await Promise.all(refs.map((ref) => refCommit(folder, ref, { signal }))));
    let hasMoved = false;
    for (const fetched of commits) {
      if (fetched !== null && (await followUpstream({ folder, defaultBranch, commit: fetched, signal })))
        hasMoved = true;
    }
    const event = { topic: 'repo.update', data: { repo, change: 'fetched', changed: 1 } } as const;
    if (hasMoved) commit(parts, [event], () => undefined);
  });
}
