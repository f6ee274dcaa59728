import { z } from 'zod';
import { Fault } from '../contract/faults.ts';
import { CommitId } from '../contract/ids.ts';
import type { GithubPlace } from '../contract/pull-request.ts';
import { ghApi, type GhCaller, type GhReply, hasLogin, loggedOut, wordsOf } from './gh-api.ts';

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
  head: z.object({ sha: CommitId }),
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
  const found = Repository.safeParse(reply.body);
  if (reply.status !== 200 || !found.success) {
    throw new Fault('UPSTREAM_NOT_GITHUB', `${nameOf(place)} is no repository that this login may read.`, {
      detail: wordsOf(reply),
      hint: `See with \`gh repo view ${nameOf(place)}\` which login is used; \`takt push\` works without it.`,
    });
  }
  if (found.data.archived)
    throw new Fault('PR_REFUSED', `${nameOf(place)} is archived, and takes no pull requests.`, {
      hint: 'Unarchive it on GitHub.',
    });
  const [owner = place.owner, name = place.name] = found.data.full_name.split('/');
  return { host: place.host, owner, name };
}

/** Other hosts may be no GitHub at all, and nothing but a login tells. */
function noLogin(host: string): Fault {
  if (host === 'github.com') return loggedOut(host);
  return new Fault('GH_LOGGED_OUT', `gh has no login for ${host}.`, {
    hint: `If it is a GitHub Enterprise host: \`gh auth login --hostname ${host}\`. If it is none, \`takt push\` sends the branch all the same.`,
  });
}

export const nameOf = ({ host, owner, name }: GithubPlace): string =>
  host === 'github.com' ? `${owner}/${name}` : `${host}/${owner}/${name}`;

/** The open pull request of a branch, or undefined. A pull request is found by its head, so it is never made twice. */
export async function findOpenPull(
  place: GithubPlace,
  head: PullHead,
  base: string,
  caller: GhCaller,
): Promise<Pull | undefined> {
  const query = new URLSearchParams({ state: 'open', head: `${head.owner}:${head.branch}`, base, per_page: '100' });
  const reply = await ghApi({ host: place.host, path: `${repoPath(place)}/pulls?${query.toString()}` }, caller);
  if (reply.status !== 200) throw refused(place, 'did not list its pull requests', reply);
  return z.array(Pull).parse(reply.body)[0];
}

/**
 * Makes a pull request. Where the repository has no drafts it becomes an ordinary one, which the result tells. Faults:
 * PR_REFUSED with GitHub's words, and those of `ghApi`.
 */
export async function createPull(
  place: GithubPlace,
  wanted: { head: PullHead; base: string; title: string; body: string; isDraft: boolean },
  caller: GhCaller,
): Promise<Pull> {
  const { head, base, title, body, isDraft } = wanted;
  const isFork = head.owner !== place.owner || head.name !== place.name;
  const request = {
    title,
    body,
    base,
    head: isFork ? `${head.owner}:${head.branch}` : head.branch,
    // Forks of one owner cannot be told apart by the owner.
    ...(isFork ? { head_repo: `${head.owner}/${head.name}` } : {}),
  };
  const post = (draft: boolean): Promise<GhReply> =>
    ghApi({ host: place.host, method: 'POST', path: `${repoPath(place)}/pulls`, body: { ...request, draft } }, caller);
  const reply = await post(isDraft);
  if (reply.status === 201) return Pull.parse(reply.body);
  if (reply.status !== 422) throw refused(place, 'did not take the pull request', reply);
  // Somebody may have made it a moment ago; and not every plan of GitHub has drafts. It says either in prose only.
  const there = await findOpenPull(place, head, base, caller);
  if (there !== undefined) return there;
  const again = isDraft ? await post(false) : reply;
  if (again.status === 201) return Pull.parse(again.body);
  throw refused(place, 'did not take the pull request', reply);
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
  if (reply.status === 200) return Pull.parse(reply.body);
  throw refused(place, `did not take the change of pull request ${number}`, reply);
}

/** True if rules of the repository hold for a branch, whether it exists or not. */
export async function isProtected(place: GithubPlace, branch: string, caller: GhCaller): Promise<boolean> {
  const path = repoPath(place);
  const name = encodeURIComponent(branch);
  const rules = await ghApi({ host: place.host, path: `${path}/rules/branches/${name}` }, caller);
  if (rules.status === 200 && Array.isArray(rules.body) && rules.body.length > 0) return true;
  const found = await ghApi({ host: place.host, path: `${path}/branches/${name}` }, caller);
  return z.object({ protected: z.literal(true) }).safeParse(found.body).success;
}

export function refused(place: GithubPlace, what: string, reply: GhReply): Fault {
  return new Fault('PR_REFUSED', `${nameOf(place)} ${what}.`, { detail: wordsOf(reply) });
}
