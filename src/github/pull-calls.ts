import { z } from 'zod';
import { Fault } from '../contract/faults.ts';
import { CommitId } from '../contract/ids.ts';
import type { GithubPlace } from '../contract/pull-request.ts';
import { pause } from '../platform/wait.ts';
import { nameOf } from './pull-text.ts';
import { ghApi, type GhCaller, type GhReply, hasLogin, loggedOut, readBody, wordsOf } from './gh-api.ts';

/** A pull request as GitHub's REST API gives it; what takt does not use is left out. */
export const Pull = z.object({
  number: z.number().int().positive(),
  html_url: z.string(),
  title: z.string(),
  body: z.string().nullable(),
  state: z.enum(['open', 'closed']),
  draft: z.boolean().catch(false),
  merged_at: z.string().nullable().catch(null),
  merge_commit_sha: CommitId.nullable().catch(null),
  head: z.object({ sha: CommitId, repo: z.object({ full_name: z.string() }).nullish() }),
  base: z.object({ ref: z.string() }),
});
export type Pull = z.infer<typeof Pull>;

const Repository = z.object({ full_name: z.string(), archived: z.boolean().catch(false) });

/** A branch that a pull request is made from: in the repository itself or in a fork. */
export interface PullHead {
  readonly owner: string;
  readonly name: string;
  readonly branch: string;
}

/** Where the API has a repository. */
export const repoPath = ({ owner, name }: GithubPlace): string =>
  `repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}`;

/**
 * The repository under the name that it has now, since one that was renamed answers under its old name too, but does
 * not take everything there. Faults: those of `ghApi`, GH_LOGGED_OUT without any call if there is no login,
 * UPSTREAM_NOT_GITHUB if the host has none for this login.
 */
export async function askRepository(place: GithubPlace, caller: GhCaller): Promise<GithubPlace> {
  if (!(await hasLogin(place.host, caller))) throw noLogin(place.host);
  const reply = await ghApi({ host: place.host, path: repoPath(place) }, caller);
  if (reply.status === 404) {
    throw new Fault('UPSTREAM_NOT_GITHUB', `${nameOf(place)} is no repository that this login may read.`, {
      hint: `See with \`gh repo view ${nameOf(place)}\` which login is used; \`takt push\` works without it.`,
    });
  }
  if (reply.status !== 200) throw refused(place, 'may not be read', reply);
  const { full_name: fullName, archived } = readBody(Repository, reply, place.host);
  if (archived)
    throw new Fault('PR_REFUSED', `${nameOf(place)} is archived, and takes no pull requests.`, {
      hint: 'Unarchive it on GitHub.',
    });
  const [owner = place.owner, name = place.name] = fullName.split('/');
  return { host: place.host, owner, name };
}

/** Other hosts may be no GitHub at all, and nothing but a login tells. */
function noLogin(host: string): Fault {
  if (host === 'github.com') return loggedOut(host);
  return new Fault('GH_LOGGED_OUT', `gh has no login for ${host}.`, {
    hint: `If it is a GitHub Enterprise host: \`gh auth login --hostname ${host}\`. If it is none, \`takt push\` sends the branch all the same.`,
  });
}

/** The pull requests of a branch that there are. A pull request is found by its head, so it is never made twice. */
export interface PullsOfHead {
  /** Of several, the one into the wanted base; a base that a person chose is theirs. */
  readonly open: Pull | undefined;
  /** The newest that is merged or closed. */
  readonly ended: Pull | undefined;
}

/** Faults: PR_REFUSED, and those of `ghApi`. */
export async function findPulls(
  place: GithubPlace,
  head: PullHead,
  base: string,
  caller: GhCaller,
): Promise<PullsOfHead> {
  const query = new URLSearchParams({ state: 'all', head: `${head.owner}:${head.branch}`, per_page: '100' });
  const reply = await ghApi({ host: place.host, path: `${repoPath(place)}/pulls?${query.toString()}` }, caller);
  if (reply.status !== 200) throw refused(place, 'did not list its pull requests', reply);
  // The owner alone does not tell forks of one owner apart.
  const own = readBody(z.array(Pull), reply, place.host).filter(({ head: { repo } }) =>
    [undefined, null, `${head.owner}/${head.name}`].includes(repo?.full_name),
  );
  const open = own.filter(({ state }) => state === 'open');
  const ended = own.filter(({ state }) => state === 'closed').toSorted((one, other) => other.number - one.number);
  return { open: open.find((pull) => pull.base.ref === base) ?? open[0], ended: ended[0] };
}

const isForked = (place: GithubPlace, head: PullHead): boolean =>
  head.owner !== place.owner || head.name !== place.name;

/**
 * Makes a pull request; undefined if the branch has nothing that its base lacks. Where the repository has no drafts it
 * becomes an ordinary one, which the result tells. Faults: PR_REFUSED with GitHub's words, and those of `ghApi`.
 */
export async function createPull(
  place: GithubPlace,
  wanted: { head: PullHead; base: string; title: string; body: string; isDraft: boolean },
  caller: GhCaller,
): Promise<Pull | undefined> {
  const { head, base, title, body, isDraft } = wanted;
  const isFork = isForked(place, head);
  const request = {
    title,
    body,
    base,
    head: isFork ? `${head.owner}:${head.branch}` : head.branch,
    // Forks of one owner cannot be told apart by the owner.
    ...(isFork ? { head_repo: `${head.owner}/${head.name}` } : {}),
  };
  const path = `${repoPath(place)}/pulls`;
  const post = (draft: boolean): Promise<GhReply> =>
    ghApi({ host: place.host, method: 'POST', path, body: { ...request, draft } }, caller);
  const first = await post(isDraft);
  if (first.status === 201) return readBody(Pull, first, place.host);
  if (first.status !== 422) throw refused(place, 'did not take the pull request', first);
  // It says only in prose what is wrong: that somebody was faster, that there is nothing to merge, that the push is not
  // noticed yet, or that its plan has no drafts. So all of that is looked at, in this order.
  const { open } = await findPulls(place, head, base, caller);
  if (open !== undefined) return open;
  if (await isNothingAhead(place, head, base, caller)) return undefined;
  await pause(NOTICE_MS, caller.signal);
  const second = await post(isDraft);
  const last = second.status === 422 && isDraft ? await post(false) : second;
  if (last.status === 201) return readBody(Pull, last, place.host);
  throw refused(place, 'did not take the pull request', second);
}

/** GitHub takes a moment to notice what was pushed. */
const NOTICE_MS = 2_000;

async function isNothingAhead(place: GithubPlace, head: PullHead, base: string, caller: GhCaller): Promise<boolean> {
  const tip = isForked(place, head) ? `${head.owner}:${head.name}:${head.branch}` : head.branch;
  const range = `${encodeURIComponent(base)}...${encodeURIComponent(tip)}`;
  const reply = await ghApi({ host: place.host, path: `${repoPath(place)}/compare/${range}?per_page=1` }, caller);
  return z.object({ ahead_by: z.literal(0) }).safeParse(reply.body).success;
}

/** Changes title or text of a pull request. Faults as `createPull`. */
export async function updatePull(
  place: GithubPlace,
  number: number,
  change: { readonly title?: string; readonly body?: string },
  caller: GhCaller,
): Promise<Pull> {
  const reply = await ghApi(
    { host: place.host, method: 'PATCH', path: `${repoPath(place)}/pulls/${number}`, body: change },
    caller,
  );
  if (reply.status === 200) return readBody(Pull, reply, place.host);
  throw refused(place, `did not take the change of pull request ${number}`, reply);
}

/** Kinds of rules that cannot keep commits from being added to a branch. */
const HARMLESS_RULES = ['deletion', 'non_fast_forward'];

/** Rules of the repository that may refuse a push to a branch, whether it exists or not; none if it does not tell. */
export async function rulesOf(place: GithubPlace, branch: string, caller: GhCaller): Promise<string[]> {
  const path = repoPath(place);
  const name = encodeURIComponent(branch);
  const rules = await ghApi({ host: place.host, path: `${path}/rules/branches/${name}` }, caller);
  const kinds = Rules.parse(rules.body).map(({ type }) => type);
  const found = await ghApi({ host: place.host, path: `${path}/branches/${name}` }, caller);
  const isProtected = z.object({ protected: z.literal(true) }).safeParse(found.body).success;
  return [...kinds.filter((kind) => !HARMLESS_RULES.includes(kind)), ...(isProtected ? ['branch protection'] : [])];
}

const Rules = z.array(z.object({ type: z.string() })).catch([]);

/** GitHub's own words are the reason, so the sentence holds them. */
export function refused(place: GithubPlace, what: string, reply: GhReply): Fault {
  const words = wordsOf(reply).split('\n').slice(1).join(' ').trim();
  return new Fault('PR_REFUSED', `${nameOf(place)} ${what}: ${words === '' ? `HTTP ${reply.status}` : words}`, {
    detail: wordsOf(reply),
  });
}
