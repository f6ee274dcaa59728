import { z } from 'zod';
import type { GithubPlace, PullCheck, PullComment, PullSight, ReviewState } from '../contract/pull-request.ts';
import type { ReplyCache } from './conditional-api.ts';
import type { GhCaller } from './gh-api.ts';
import { Pull, refused, repoPath } from './pull-calls.ts';

/** The pages of a list below the repository's path; none of what this login may not read, such as checks. */
type AskPages = (path: string) => Promise<unknown[]>;

const PAGE = 'per_page=100';
const SUMMARY_CHARS = 2_000;
const BODY_CHARS = 8_000;
const PAGES_LIMIT = 5;
const NOT_FOR_US = [403, 404];

/**
 * What GitHub shows of a pull request now; of one that is no longer open, checks and comments are not asked for, and
 * are those of `before`. Faults: PR_REFUSED if it does not show it, and those of `ghApi`.
 */
export async function lookAtPull(
  place: GithubPlace,
  number: number,
  before: PullSight,
  { cache, caller }: { cache: ReplyCache; caller: GhCaller },
): Promise<PullSight> {
  const first = `pulls/${number}`;
  const reply = await cache.ask(place.host, `${repoPath(place)}/${first}`, caller);
  if (reply.status !== 200) throw refused(place, `did not show pull request ${number}`, reply);
  const pull = Pull.parse(reply.body);
  const state = pull.merged_at !== null ? 'merged' : pull.state;
  const seen = {
    title: pull.title,
    isDraft: pull.draft,
    head: pull.head.sha,
    // Of an open one it is that of a trial merge.
    mergeCommit: state === 'merged' ? pull.merge_commit_sha : null,
  };
  if (state !== 'open') return { ...before, ...seen, state };
  const ask = pagesFrom(place, number, { cache, caller });
  const [checks, statuses, reviews, remarks, comments] = await Promise.all([
    ask(`commits/${pull.head.sha}/check-runs?${PAGE}`),
    ask(`commits/${pull.head.sha}/status?${PAGE}`),
    ask(`${first}/reviews?${PAGE}`),
    ask(`${first}/comments?${PAGE}`),
    ask(`issues/${number}/comments?${PAGE}`),
  ]);
  const given = reviews.flatMap((page) => Reviews.parse(page));
  return {
    ...seen,
    state,
    review: reviewState(given),
    checks: [...checks.flatMap(checksOf), ...statuses.flatMap(statusesOf)],
    comments: [...comments.flatMap(commentsOf), ...reviewWords(given), ...remarks.flatMap(remarksOf)].toSorted(
      (one, other) => one.atMs - other.atMs,
    ),
  };
}

/** GitHub says in a header whether there is another page, and where. */
function pagesFrom(
  place: GithubPlace,
  number: number,
  { cache, caller }: { cache: ReplyCache; caller: GhCaller },
): AskPages {
  return async (path) => {
    const pages: unknown[] = [];
    let next: string | undefined = `${repoPath(place)}/${path}`;
    while (next !== undefined && pages.length < PAGES_LIMIT) {
      const reply = await cache.ask(place.host, next, caller);
      if (NOT_FOR_US.includes(reply.status)) return pages;
      if (reply.status !== 200) throw refused(place, `did not show pull request ${number}`, reply);
      pages.push(reply.body);
      next = /<https?:\/\/[^/]+\/(?:api\/v3\/)?([^>]+)>;\s*rel="next"/.exec(reply.headers.get('link') ?? '')?.[1];
    }
    return pages;
  };
}

const CheckRuns = z.object({
  check_runs: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      conclusion: z.string().nullable(),
      details_url: z.string().nullish(),
      html_url: z.string().nullish(),
      output: z.object({ title: z.string().nullish(), summary: z.string().nullish() }).nullish(),
    }),
  ),
});

function checksOf(body: unknown): PullCheck[] {
  return CheckRuns.parse(body).check_runs.map(({ name, conclusion, output, html_url, details_url }) => ({
    name,
    state: conclusion === null ? 'pending' : stateOfConclusion(conclusion),
    url: html_url ?? details_url ?? null,
    summary: [output?.title, output?.summary]
      .filter((text) => typeof text === 'string' && text !== '')
      .join('\n')
      .slice(0, SUMMARY_CHARS),
  }));
}

const stateOfConclusion = (conclusion: string): PullCheck['state'] =>
  ['success', 'neutral', 'skipped'].includes(conclusion) ? 'passed' : 'failed';

const Statuses = z.object({
  statuses: z.array(
    z.object({
      context: z.string(),
      state: z.enum(['success', 'pending', 'failure', 'error']),
      target_url: z.string().nullish(),
      description: z.string().nullish(),
    }),
  ),
});

function statusesOf(body: unknown): PullCheck[] {
  return Statuses.parse(body).statuses.map(({ context, state, target_url, description }) => ({
    name: context,
    state: state === 'success' ? 'passed' : state === 'pending' ? 'pending' : 'failed',
    url: target_url ?? null,
    summary: (description ?? '').slice(0, SUMMARY_CHARS),
  }));
}

const Author = z.object({ login: z.string() }).nullish();
const Reviews = z.array(
  z.object({
    id: z.number(),
    user: Author,
    state: z.string(),
    body: z.string().nullish(),
    html_url: z.string(),
    submitted_at: z.string().nullish(),
  }),
);
type Reviews = z.infer<typeof Reviews>;

/** The latest word of each reviewer counts; one that was dismissed says nothing. */
function reviewState(reviews: Reviews): ReviewState {
  const latest = new Map<string, string>();
  for (const { user, state } of reviews)
    if (['APPROVED', 'CHANGES_REQUESTED', 'DISMISSED'].includes(state)) latest.set(user?.login ?? '', state);
  const words = [...latest.values()];
  if (words.includes('CHANGES_REQUESTED')) return 'changes_requested';
  return words.includes('APPROVED') ? 'approved' : 'none';
}

function reviewWords(reviews: Reviews): PullComment[] {
  return reviews
    .filter(({ body, submitted_at }) => (body ?? '') !== '' && typeof submitted_at === 'string')
    .map(({ id, user, body, html_url, submitted_at }) => ({
      ...comment('review', { id, user, body: body ?? '', html_url, created_at: submitted_at ?? '' }),
      file: null,
      line: null,
    }));
}

const Written = z.object({
  id: z.number(),
  user: Author,
  body: z.string(),
  html_url: z.string(),
  created_at: z.string(),
});
const Remarks = z.array(Written.extend({ path: z.string(), line: z.number().int().nullish() }));

function commentsOf(body: unknown): PullComment[] {
  const written = z.array(Written).parse(body);
  return written.map((each) => ({ ...comment('comment', each), file: null, line: null }));
}

function remarksOf(body: unknown): PullComment[] {
  return Remarks.parse(body).map((each) => ({
    ...comment('line', each),
    file: each.path,
    line: each.line ?? null,
  }));
}

function comment(
  kind: PullComment['kind'],
  { id, user, body, html_url, created_at }: z.infer<typeof Written>,
): Omit<PullComment, 'file' | 'line'> {
  const atMs = Date.parse(created_at);
  return {
    id: `${kind}-${id}`,
    kind,
    author: user?.login ?? 'somebody',
    body: body.slice(0, BODY_CHARS),
    url: html_url,
    atMs: Number.isNaN(atMs) ? 0 : atMs,
  };
}
