import { z } from 'zod';
import type { GithubPlace, PullCheck, PullComment, PullSight, ReviewState } from '../contract/pull-request.ts';
import { Fault } from '../contract/faults.ts';
import type { ReplyCache } from './conditional-api.ts';
import { type GhCaller, type GhReply, readBody } from './gh-api.ts';
import { Pull, refused, repoPath } from './pull-calls.ts';

/** The pages of a list below the repository's path. */
type AskPages = (path: string) => Promise<GhReply[]>;

const PAGE = 'per_page=100';
const SUMMARY_CHARS = 2_000;
const BODY_CHARS = 4_000;
const PAGES_LIMIT = 5;
const COMMENTS_LIMIT = 200;

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
  const pull = readBody(Pull, reply, place.host);
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
  const checks = (path: string): Promise<GhReply[] | null> =>
    unlessForbidden(ask(`commits/${pull.head.sha}/${path}?${PAGE}`));
  const [runs, statuses, reviews, remarks, comments] = await Promise.all([
    checks('check-runs'),
    checks('status'),
    ask(`${first}/reviews?${PAGE}`),
    ask(`${first}/comments?${PAGE}`),
    ask(`issues/${number}/comments?${PAGE}`),
  ]);
  const read = <Value>(schema: z.ZodType<Value[]>, pages: readonly GhReply[]): Value[] =>
    pages.flatMap((page) => readBody(schema, page, place.host));
  const given = read(Reviews, reviews);
  return {
    ...seen,
    state,
    review: reviewState(given),
    checks:
      runs === null && statuses === null ? null : [...read(CheckRuns, runs ?? []), ...read(Statuses, statuses ?? [])],
    comments: [...read(Comments, comments), ...reviewWords(given), ...read(Remarks, remarks)]
      .toSorted((one, other) => one.atMs - other.atMs)
      .slice(-COMMENTS_LIMIT),
  };
}

/** Not every login may read checks. */
async function unlessForbidden(pages: Promise<GhReply[]>): Promise<GhReply[] | null> {
  try {
    return await pages;
  } catch (error) {
    if (error instanceof Fault && error.code === 'PR_REFUSED') return null;
    throw error;
  }
}

/** Lists begin with what is oldest, so that of a long one the last pages are read; a header says which that is. */
function pagesFrom(
  place: GithubPlace,
  number: number,
  { cache, caller }: { cache: ReplyCache; caller: GhCaller },
): AskPages {
  const ask = async (path: string): Promise<GhReply> => {
    const reply = await cache.ask(place.host, `${repoPath(place)}/${path}`, caller);
    if (reply.status !== 200) throw refused(place, `did not show pull request ${number}`, reply);
    return reply;
  };
  return async (path) => {
    const first = await ask(path);
    const last = Number(/[?&]page=(\d+)[^>]*>;\s*rel="last"/.exec(first.headers.get('link') ?? '')?.[1] ?? 1);
    const from = Math.max(2, last - PAGES_LIMIT + 1);
    const more: GhReply[] = [];
    for (let page = from; page <= last; page += 1) more.push(await ask(`${path}&page=${page}`));
    return last > PAGES_LIMIT ? more : [first, ...more];
  };
}

const CheckRuns = z
  .object({
    check_runs: z.array(
      z.object({
        name: z.string(),
        conclusion: z.string().nullable(),
        details_url: z.string().nullish(),
        html_url: z.string().nullish(),
        output: z.object({ title: z.string().nullish(), summary: z.string().nullish() }).nullish(),
      }),
    ),
  })
  .transform(({ check_runs: runs }): PullCheck[] =>
    runs.map(({ name, conclusion, output, html_url: page, details_url: details }) => ({
      name,
      state: conclusion === null ? 'pending' : stateOfConclusion(conclusion),
      url: page ?? details ?? null,
      summary: cut([output?.title, output?.summary].filter((text) => (text ?? '') !== '').join('\n'), SUMMARY_CHARS),
    })),
  );

const stateOfConclusion = (conclusion: string): PullCheck['state'] =>
  ['success', 'neutral', 'skipped'].includes(conclusion) ? 'passed' : 'failed';

const Statuses = z
  .object({
    statuses: z.array(
      z.object({
        context: z.string(),
        state: z.enum(['success', 'pending', 'failure', 'error']),
        target_url: z.string().nullish(),
        description: z.string().nullish(),
      }),
    ),
  })
  .transform(({ statuses }): PullCheck[] =>
    statuses.map(({ context, state, target_url: url, description }) => ({
      name: context,
      state: state === 'success' ? 'passed' : state === 'pending' ? 'pending' : 'failed',
      url: url ?? null,
      summary: cut(description ?? '', SUMMARY_CHARS),
    })),
  );

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
  updated_at: z.string().nullish(),
});
const Comments = z
  .array(Written)
  .transform((written): PullComment[] =>
    written.map((each) => ({ ...comment('comment', each), file: null, line: null })),
  );
const Remarks = z
  .array(Written.extend({ path: z.string(), line: z.number().int().nullish() }))
  .transform((written): PullComment[] =>
    written.map((each) => ({ ...comment('line', each), file: each.path, line: each.line ?? null })),
  );

/** One that is edited is another one, since it says something new. */
function comment(kind: PullComment['kind'], written: z.infer<typeof Written>): Omit<PullComment, 'file' | 'line'> {
  const { id, user, body, html_url: url, created_at: created, updated_at: updated } = written;
  const atMs = Date.parse(updated ?? created);
  return {
    id: `${kind}-${id}-${atMs}`,
    kind,
    author: user?.login ?? 'somebody',
    body: cut(body, BODY_CHARS),
    url,
    atMs: Number.isNaN(atMs) ? 0 : atMs,
  };
}

const cut = (text: string, chars: number): string => (text.length <= chars ? text : `${text.slice(0, chars)} … (cut)`);
