import type { CommitId } from '../../contract/ids.ts';
import { readHeads } from '../../git/refs.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import type { BranchMove } from '../../service/watching/moves-between.ts';
import { rootsNow } from './root-repos.ts';
import type { SeenBranches } from './seen-file.ts';
import { whyUnreadable } from './why-unreadable.ts';

export type Heads = SeenBranches['heads'];
export type Seen = Pick<SeenBranches, 'heads' | 'unread'>;

/** Which branches are meant: of these repos (all if none is named), and of this name if one is given. */
export interface BranchChoice {
  readonly repos: readonly string[];
  readonly branch: string | undefined;
}

/** What is found of the root repos. */
export interface HeadsNow {
  /** All repos that are there. */
  readonly there: readonly string[];
  /** Folders beside them that are no repos. */
  readonly strays: readonly string[];
  /** Where the branches are of those that were read. */
  readonly heads: Heads;
  /** Why, by the name of the repo. */
  readonly unreadable: ReadonlyMap<string, string>;
}

/** Where every branch of the named repos is, or of all if none is named. Others are not touched. */
export async function headsNow(layout: HomeLayout, named: readonly string[], signal: AbortSignal): Promise<HeadsNow> {
  const { repos: there, strays } = await rootsNow(layout, []);
  const heads: Heads = {};
  const unreadable = new Map<string, string>();
  for (const name of there.filter((each) => named.length === 0 || named.includes(each))) {
    try {
      heads[name] = Object.fromEntries(await readHeads(layout.root(name), { signal }));
    } catch (error) {
      signal.throwIfAborted();
      unreadable.set(name, whyUnreadable(error));
    }
  }
  return { there, strays, heads, unreadable };
}

/**
 * Compares what was seen (undefined: nothing so far) with what is now. `moves` are those of the choice, deletions
 * first, and `seen` is what counts as seen once they are told: what was not chosen or not readable stays news. The
 * repos in `noted` were not read before, so that they begin here. A repo that is gone is no deletion of its branches;
 * it is named in `gone`.
 */
export function movesSince(
  before: Seen | undefined,
  { there, heads: now }: Pick<HeadsNow, 'there' | 'heads'>,
  { repos, branch }: BranchChoice,
): { moves: BranchMove[]; seen: Seen; gone: string[]; noted: string[] } {
  const isChosen = (repo: string): boolean => repos.length === 0 || repos.includes(repo);
  const known = before?.heads ?? {};
  const unread = (before?.unread ?? there).filter((repo) => there.includes(repo));
  const gone = Object.keys(known).filter((repo) => isChosen(repo) && !there.includes(repo));
  const heads: Heads = Object.fromEntries(Object.entries(known).filter(([repo]) => !gone.includes(repo)));
  const noted = unread.filter((repo) => Object.hasOwn(now, repo));
  const moves: BranchMove[] = [];
  for (const [repo, found] of Object.entries(now)) {
    const old = noted.includes(repo) ? found : Object.hasOwn(known, repo) ? known[repo]! : {};
    const names = [...new Set([...Object.keys(old), ...Object.keys(found)])];
    const chosen = names.filter((name) => branch === undefined || name === branch).toSorted();
    const moved = chosen.filter((name) => commitIn(old, name) !== commitIn(found, name));
    const isGone = (name: string): boolean => !Object.hasOwn(found, name);
    // There is no `x` beside an `x/y`: those that went come first.
    const inOrder = moved.toSorted((one, other) => Number(isGone(other)) - Number(isGone(one)));
    moves.push(
      ...inOrder.map((name) => ({ repo, branch: name, from: commitIn(old, name), to: commitIn(found, name) })),
    );
    const kept = Object.entries(old).filter(([name]) => !chosen.includes(name));
    const told = Object.entries(found).filter(([name]) => chosen.includes(name));
    heads[repo] = Object.fromEntries([...kept, ...told]);
  }
  return { moves, seen: { heads, unread: unread.filter((repo) => !noted.includes(repo)) }, gone, noted };
}

const commitIn = (heads: Readonly<Record<string, CommitId>>, branch: string): CommitId | null =>
  Object.hasOwn(heads, branch) ? heads[branch]! : null;
