import type { GithubPlace, OpenedPull, PullToOpen } from '../contract/pull-request.ts';
import { Fault } from '../contract/faults.ts';
import { severalAtATime } from '../platform/several-at-a-time.ts';
import { findPlace, type Finding } from './find-place.ts';
import type { GhCaller } from './gh-api.ts';
import {
  askRepository,
  createPull,
  findPulls,
  type Pull,
  type PullHead,
  type PullsOfHead,
  updatePull,
} from './pull-calls.ts';
import { mergedBody, nameOf, titleGiven, withLinks } from './pull-text.ts';

/** A pull request that is wanted, with the addresses that say where it belongs. */
export interface WantedPull extends PullToOpen {
  readonly upstream: string;
  /** Where the branch is pushed: the upstream, or a fork of it. */
  readonly pushUrl: string;
  readonly defaultBranch: string;
}

/** A wanted one whose place is known, and where the operator's login may open it. */
export interface PlacedPull {
  readonly wanted: WantedPull;
  readonly place: GithubPlace;
  readonly head: PullHead;
  readonly there: PullsOfHead;
  /** True if GitHub merged the very commit that is wanted: there is nothing left to push or to open. */
  readonly isMerged: boolean;
}

export interface Opening extends GhCaller {
  /** Told of each as soon as it is there, so that a failure further on loses none. */
  readonly onOpened: (opened: OpenedPull) => void;
  readonly note: (sentence: string) => void;
}

const AT_ONCE = 4;

/**
 * Finds where each pull request belongs and which are there, and refuses before anything is touched:
 * UPSTREAM_NOT_GITHUB, GH_MISSING, GH_LOGGED_OUT, GITHUB_UNREACHABLE, PR_REFUSED.
 */
export async function placePulls(
  wanted: readonly WantedPull[],
  branch: string,
  { finding, caller }: { finding: Finding; caller: GhCaller },
): Promise<PlacedPull[]> {
  return severalAtATime(wanted, { limit: AT_ONCE, signal: caller.signal }, (pull, signal) =>
    inRepo(pull.repo, placeOne(pull, branch, { finding: { ...finding, signal }, caller: { ...caller, signal } })),
  );
}

async function placeOne(
  pull: WantedPull,
  branch: string,
  { finding, caller }: { finding: Finding; caller: GhCaller },
): Promise<PlacedPull> {
  const place = await findPlace(pull.upstream, finding);
  const isFork = pull.pushUrl !== pull.upstream;
  const source = isFork ? await findPlace(pull.pushUrl, finding) : place;
  if (source.host !== place.host)
    throw new Fault('UPSTREAM_NOT_GITHUB', `Its fork is on ${source.host}, its upstream on ${place.host}.`, {
      hint: 'A pull request goes from a fork to its upstream on one host; mend push_url in repos.yaml.',
    });
  const now = await askRepository(place, caller);
  const { owner, name } = isFork ? await askRepository(source, caller) : now;
  const head = { owner, name, branch };
  const there = await findPulls(now, head, pull.defaultBranch, caller);
  const { ended } = there;
  const isMerged = ended !== undefined && ended.merged_at !== null && ended.head.sha === pull.commit;
  return { wanted: pull, place: now, head, there, isMerged };
}

interface There {
  readonly pull: Pull;
  readonly target: PlacedPull;
}

/**
 * Opens the pull requests in the order given, which is that of merging, or brings up to date those that are open; then
 * writes into each which others there are. May be repeated after a failure or a crash: none is made twice. Faults:
 * PR_REFUSED and those of `gh`.
 */
export async function openPulls(placed: readonly PlacedPull[], opening: Opening): Promise<OpenedPull[]> {
  const there: There[] = [];
  for (const target of placed) {
    opening.signal.throwIfAborted();
    const pull = await inRepo(target.wanted.repo, openOne(target, opening));
    if (pull === undefined) continue;
    there.push({ pull, target });
    opening.onOpened(openedOf({ pull, target }));
  }
  for (const each of there) {
    if (each.target.isMerged) continue;
    const changed = await inRepo(each.target.wanted.repo, bringUpToDate(each, there, opening));
    if (changed !== undefined) opening.onOpened(openedOf({ ...each, pull: changed }));
  }
  return there.map(openedOf);
}

async function openOne(
  { wanted, place, head, there, isMerged }: PlacedPull,
  opening: Opening,
): Promise<Pull | undefined> {
  const { open, ended } = there;
  const named = (pull: Pull): string => `${wanted.repo}: ${nameOf(place)}#${pull.number}`;
  if (isMerged) {
    opening.note(`${named(ended!)} is merged already.`);
    return ended;
  }
  if (open !== undefined) {
    opening.note(`${named(open)} is open already, and is brought up to date.`);
    return open;
  }
  if (ended !== undefined && ended.merged_at === null)
    opening.note(`${named(ended)} was closed without being merged; another one is opened.`);
  const { title, isDraft, defaultBranch: base } = wanted;
  const body = mergedBody(null, withLinks(wanted.text, [], wanted.repo), title);
  const made = await createPull(place, { head, base, title, body, isDraft }, opening);
  if (made === undefined) {
    opening.note(
      `${wanted.repo}: ${nameOf(place)} has all commits of ${head.branch} on ${base}; there is nothing to merge.`,
    );
    return undefined;
  }
  const kind = made.draft ? ' as a draft' : isDraft ? ', not as a draft, which was refused' : '';
  opening.note(`${named(made)} opened${kind}: ${made.html_url}`);
  return made;
}

/** Undefined if all is as it should be. */
async function bringUpToDate(
  { pull, target }: There,
  all: readonly There[],
  opening: Opening,
): Promise<Pull | undefined> {
  const { wanted, place } = target;
  const siblings = all.map((each) => ({
    repo: each.target.wanted.repo,
    place: each.target.place,
    number: each.pull.number,
    url: each.pull.html_url,
    isMerged: each.target.isMerged,
  }));
  const given = titleGiven(pull.body);
  // GitHub takes blanks off the ends. A title that a person changed is theirs.
  const isOurs = given !== undefined && given.trim() === pull.title.trim();
  const title = isOurs ? wanted.title : pull.title;
  const body = mergedBody(
    pull.body,
    withLinks(wanted.text, siblings, wanted.repo),
    isOurs ? title : (given ?? wanted.title),
  );
  const change = {
    ...(title.trim() === pull.title.trim() ? {} : { title }),
    ...(body === (pull.body ?? '').replaceAll('\r\n', '\n') ? {} : { body }),
  };
  return Object.keys(change).length === 0 ? undefined : updatePull(place, pull.number, change, opening);
}

function openedOf({ pull, target: { wanted, place } }: There): OpenedPull {
  return {
    repo: wanted.repo,
    place,
    number: pull.number,
    url: pull.html_url,
    title: pull.title,
    base: pull.base.ref,
    // GitHub takes a moment to notice a push; what was pushed is what it holds.
    head: wanted.commit,
    isDraft: pull.draft,
    state: pull.merged_at !== null ? 'merged' : pull.state,
  };
}

/** The same fault, with the repo that it is about. */
async function inRepo<Value>(repo: string, work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const detail = error.detail === undefined ? {} : { detail: error.detail };
    throw new Fault(error.code, `${repo}: ${error.message}`, { hint: error.hint, cause: error, ...detail });
  }
}
