import type { CommitId } from '../../contract/ids.ts';
import { readHeads } from '../../git/refs.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import type { BranchMove } from '../../service/watching/moves-between.ts';
import { rootsNow } from './root-repos.ts';
import type { SeenBranches } from './seen-file.ts';

type Heads = SeenBranches['heads'];

/** Which branches are meant: of these repos (all if none is named), and of this name if one is given. */
export interface BranchChoice {
  readonly repos: readonly string[];
  readonly branch: string | undefined;
}

/** Where every branch is now. */
export async function headsNow(layout: HomeLayout, signal: AbortSignal): Promise<Heads> {
  const heads: Heads = {};
  for (const name of await rootsNow(layout, []))
    heads[name] = Object.fromEntries(await readHeads(layout.root(name), { signal }));
  return heads;
}

/**
 * Compares what was seen with what is now. `moves` are those of the choice, and `seen` is what counts as seen once they
 * are told: what was not chosen stays news. A repo that is gone is no deletion of its branches; it is named in `gone`.
 */
export function movesSince(
  before: Heads,
  now: Heads,
  { repos, branch }: BranchChoice,
): { moves: BranchMove[]; seen: Heads; gone: string[] } {
  const isChosen = (repo: string): boolean => repos.length === 0 || repos.includes(repo);
  const gone = Object.keys(before).filter((repo) => isChosen(repo) && !Object.hasOwn(now, repo));
  const seen: Heads = Object.fromEntries(Object.entries(before).filter(([repo]) => !gone.includes(repo)));
  const moves: BranchMove[] = [];
  for (const [repo, heads] of Object.entries(now).filter(([name]) => isChosen(name))) {
    const old = Object.hasOwn(before, repo) ? before[repo]! : {};
    const names = [...new Set([...Object.keys(old), ...Object.keys(heads)])];
    const chosen = names.filter((name) => branch === undefined || name === branch).toSorted();
    const moved = chosen.filter((name) => commitIn(old, name) !== commitIn(heads, name));
    moves.push(...moved.map((name) => ({ repo, branch: name, from: commitIn(old, name), to: commitIn(heads, name) })));
    const kept = Object.entries(old).filter(([name]) => !chosen.includes(name));
    const told = Object.entries(heads).filter(([name]) => chosen.includes(name));
    seen[repo] = Object.fromEntries([...kept, ...told]);
  }
  return { moves, seen, gone };
}

const commitIn = (heads: Readonly<Record<string, CommitId>>, branch: string): CommitId | null =>
  Object.hasOwn(heads, branch) ? heads[branch]! : null;
