import type { GithubPlace, OpenedPull, PullToOpen } from '../contract/pull-request.ts';
import { Fault } from '../contract/faults.ts';
import type { GhCaller } from './gh-api.ts';
import { findPlace, type Finding } from './find-place.ts';
import { askRepository, createPull, findOpenPull, nameOf, type Pull, type PullHead, updatePull } from './pull-calls.ts';
import { mergedBody, titleGiven, withLinks } from './pull-text.ts';

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
}

export interface Opening extends GhCaller {
  /** Told of each as soon as it is there, so that a failure further on loses none. */
  readonly onOpened: (opened: OpenedPull) => void;
  readonly note: (sentence: string) => void;
}

/**
 * Finds where each pull request belongs, and refuses before anything is touched: UPSTREAM_NOT_GITHUB, GH_MISSING,
 * GH_LOGGED_OUT, GITHUB_UNREACHABLE, PR_REFUSED.
 */
export async function placePulls(
  wanted: readonly WantedPull[],
  branch: string,
  { finding, caller }: { finding: Finding; caller: GhCaller },
): Promise<PlacedPull[]> {
  return Promise.all(
    wanted.map(async (pull) => {
      const place = await inRepo(pull.repo, findPlace(pull.upstream, finding));
      const isFork = pull.pushUrl !== pull.upstream;
      const source = isFork ? await inRepo(pull.repo, findPlace(pull.pushUrl, finding)) : place;
      if (source.host !== place.host)
        throw new Fault(
          'UPSTREAM_NOT_GITHUB',
          `${pull.repo}: its fork is on ${source.host}, its upstream on ${place.host}.`,
          {
            hint: 'A pull request goes from a fork to its upstream on one host; mend push_url in repos.yaml.',
          },
        );
      const [now, head] = await Promise.all([
        inRepo(pull.repo, askRepository(place, caller)),
        isFork ? inRepo(pull.repo, askRepository(source, caller)) : undefined,
      ]);
      const { owner, name } = head ?? now;
      return { wanted: pull, place: now, head: { owner, name, branch } };
    }),
  );
}

/**
 * Opens the pull requests in the order given, which is that of merging, or brings up to date those that are open; then
 * writes into each which others there are. May be repeated after a failure or a crash: none is made twice. Faults:
 * PR_REFUSED and those of `gh`.
 */
export async function openPulls(placed: readonly PlacedPull[], opening: Opening): Promise<OpenedPull[]> {
  const there: { pull: Pull; target: PlacedPull }[] = [];
  for (const target of placed) {
    opening.signal.throwIfAborted();
    const pull = await inRepo(target.wanted.repo, openOne(target, opening));
    there.push({ pull, target });
    opening.onOpened(openedOf(pull, target));
  }
  const siblings = there.map(({ pull, target: { wanted, place } }) => ({
    repo: wanted.repo,
    place,
    number: pull.number,
    url: pull.html_url,
  }));
  for (const { pull, target } of there) {
    const { wanted, place } = target;
    const given = titleGiven(pull.body);
    // A title that a person changed is theirs.
    const title = given === undefined || given !== pull.title ? pull.title : wanted.title;
    const remembered = given !== undefined && given !== pull.title ? given : wanted.title;
    const body = mergedBody(pull.body, withLinks(wanted.text, siblings, wanted.repo), remembered);
    const change = {
      ...(title === pull.title ? {} : { title }),
      ...(body === (pull.body ?? '').replaceAll('\r\n', '\n') ? {} : { body }),
    };
    if (Object.keys(change).length === 0) continue;
    const changed = await inRepo(wanted.repo, updatePull(place, pull.number, change, opening));
    opening.onOpened(openedOf(changed, target));
  }
  return there.map(({ pull, target }) => openedOf(pull, target));
}

async function openOne({ wanted, place, head }: PlacedPull, opening: Opening): Promise<Pull> {
  const base = wanted.defaultBranch;
  const open = await findOpenPull(place, head, base, opening);
  if (open !== undefined) {
    opening.note(`${wanted.repo}: ${nameOf(place)}#${open.number} is open already, and is brought up to date.`);
    return open;
  }
  const { title, isDraft } = wanted;
  const body = mergedBody(null, withLinks(wanted.text, [], wanted.repo), title);
  const made = await createPull(place, { head, base, title, body, isDraft }, opening);
  opening.note(
    `${wanted.repo}: ${nameOf(place)}#${made.number} opened${made.draft ? ' as a draft' : ''}: ${made.html_url}`,
  );
  return made;
}

function openedOf(pull: Pull, { wanted, place }: PlacedPull): OpenedPull {
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
