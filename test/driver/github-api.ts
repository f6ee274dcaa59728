import { commitOf, gitIn, type StandInPull, type StandInRepo } from './github-repos.ts';

export interface ApiReply {
  readonly status: number;
  readonly body: unknown;
}

/** What GitHub's REST API would say, as far as takt asks it. */
export async function answerApi(
  repos: StandInRepo[],
  host: string,
  method: string,
  path: string,
  body: Record<string, unknown>,
): Promise<ApiReply> {
  const url = new URL(path, 'https://api/');
  const [, owner, name, ...rest] = url.pathname.slice(1).split('/').map(decodeURIComponent);
  const repo = repos.find(
    (each) =>
      each.host === host &&
      (`${each.owner}/${each.name}` === `${owner}/${name}` || each.oldNames.includes(`${owner}/${name}`)),
  );
  if (repo === undefined) return { status: 404, body: { message: 'Not Found' } };
  const [noun, id, part] = rest;
  const ok = (reply: unknown): ApiReply => ({ status: 200, body: reply });
  if (noun === undefined) return ok({ full_name: `${repo.owner}/${repo.name}`, archived: repo.isArchived });
  if (noun === 'rules')
    return ok(repo.protectedBranches.has(part ?? '') ? [{ type: 'update' }, { type: 'deletion' }] : []);
  if (noun === 'branches') return { status: 404, body: { message: 'Branch not found' } };
  if (noun === 'pulls' && id === undefined && method === 'POST') return createPull(repos, repo, body);
  if (noun === 'pulls' && id === undefined) return ok(await listPulls(repos, repo, url.searchParams));
  if (noun === 'compare') {
    const [base = '', branch = ''] = (id ?? '').split('...');
    const head =
      repos.find((each) => each.owner === branch.split(':')[0] && each.name === branch.split(':').at(-2)) ?? repo;
    return ok({ ahead_by: await commitsBetween(repo, base, head, branch.split(':').at(-1)!) });
  }
  if (noun === 'commits') return ok(checksOf(repo, id ?? '', part ?? '', await headsOf(repos, repo)));
  const pull = repo.pulls.find(({ number }) => String(number) === id);
  if (pull === undefined) return { status: 404, body: { message: 'Not Found' } };
  if (method === 'PATCH') {
    if (typeof body['title'] === 'string') pull.title = body['title'];
    if (typeof body['body'] === 'string') pull.body = body['body'];
  }
  if (part === undefined) return ok(await pullJson(repos, repo, pull));
  if (part === 'reviews')
    return ok(
      pull.reviews.map(({ at, user, ...review }) => ({
        ...review,
        user: { login: user },
        submitted_at: at,
        html_url: `${webUrl(repo, pull)}#r${review.id}`,
      })),
    );
  const onLines = noun === 'pulls';
  return ok(
    pull.comments
      .filter((comment) => (comment.path !== undefined) === onLines)
      .map(({ at, user, ...comment }) => ({
        ...comment,
        user: { login: user },
        created_at: at,
        html_url: `${webUrl(repo, pull)}#c${comment.id}`,
      })),
  );
}

async function createPull(repos: StandInRepo[], repo: StandInRepo, body: Record<string, unknown>): Promise<ApiReply> {
  const refuse = (message: string): ApiReply => ({
    status: 422,
    body: { message: 'Validation Failed', errors: [{ message }] },
  });
  const [before, after] = String(body['head']).split(':');
  const headOwner = after === undefined ? repo.owner : before!;
  const branch = after ?? before!;
  const headName = (typeof body['head_repo'] === 'string' ? body['head_repo'] : repo.name).split('/').at(-1)!;
  const head = repos.find((each) => each.owner === headOwner && each.name === headName);
  const base = String(body['base']);
  if (head === undefined || (await commitOf(head.bare, branch)) === null) return refuse('head is invalid');
  if ((await commitOf(repo.bare, base)) === null) return refuse('base is invalid');
  const isThere = (pull: StandInPull): boolean =>
    pull.state === 'open' && pull.branch === branch && pull.headOwner === headOwner && pull.base === base;
  if (repo.pulls.some(isThere)) return refuse(`A pull request already exists for ${headOwner}:${branch}.`);
  if ((await commitsBetween(repo, base, head, branch)) === 0) return refuse(`No commits between ${base} and ${branch}`);
  if (body['draft'] === true && !repo.hasDrafts) return refuse('Draft pull requests are not supported');
  const pull: StandInPull = {
    number: (repo.latestNumber += 1) + 10 * repos.indexOf(repo),
    headOwner,
    headName,
    branch,
    base,
    title: String(body['title']),
    body: String(body['body']),
    draft: body['draft'] === true,
    state: 'open',
    mergedAt: null,
    mergeCommit: null,
    head: null,
    checks: [],
    reviews: [],
    comments: [],
  };
  repo.pulls.push(pull);
  return { status: 201, body: await pullJson(repos, repo, pull) };
}

async function listPulls(repos: StandInRepo[], repo: StandInRepo, query: URLSearchParams): Promise<unknown[]> {
  const [owner, branch] = (query.get('head') ?? '').split(':');
  const found = repo.pulls.filter(
    (pull) =>
      (query.get('state') === 'all' || pull.state === query.get('state')) &&
      pull.headOwner === owner &&
      pull.branch === branch &&
      pull.base === (query.get('base') ?? pull.base),
  );
  return Promise.all(found.map((pull) => pullJson(repos, repo, pull)));
}

async function pullJson(repos: StandInRepo[], repo: StandInRepo, pull: StandInPull): Promise<object> {
  return {
    number: pull.number,
    html_url: webUrl(repo, pull),
    title: pull.title,
    body: pull.body,
    state: pull.state,
    draft: pull.draft,
    merged_at: pull.mergedAt,
    merge_commit_sha: pull.mergeCommit,
    head: {
      sha: pull.head ?? (await headOf(repos, pull)),
      ref: pull.branch,
      repo: { full_name: `${pull.headOwner}/${pull.headName}` },
    },
    base: { ref: pull.base },
  };
}

async function headOf(repos: StandInRepo[], pull: StandInPull): Promise<string | null> {
  const head = repos.find(({ owner, name }) => owner === pull.headOwner && name === pull.headName)!;
  return commitOf(head.bare, pull.branch);
}

async function commitsBetween(repo: StandInRepo, base: string, head: StandInRepo, branch: string): Promise<number> {
  const tip = (await commitOf(head.bare, branch))!;
  if (head !== repo) await gitIn(repo.bare, 'fetch', '-q', head.bare, tip);
  return Number(await gitIn(repo.bare, 'rev-list', '--count', tip, `^refs/heads/${base}`));
}

const headsOf = (repos: StandInRepo[], repo: StandInRepo): Promise<(string | null)[]> =>
  Promise.all(repo.pulls.map((pull) => headOf(repos, pull)));

/** Half of the checks of a pull request are check runs, those named `ci/…` are statuses of the older kind. */
function checksOf(repo: StandInRepo, commit: string, kind: string, heads: readonly (string | null)[]): object {
  const checks = repo.pulls.filter((_pull, index) => heads[index] === commit).flatMap((pull) => pull.checks);
  const isStatus = ({ name }: { name: string }): boolean => name.startsWith('ci/');
  if (kind === 'status')
    return {
      statuses: checks.filter(isStatus).map(({ name, conclusion, summary }) => ({
        context: name,
        state: conclusion ?? 'pending',
        description: summary,
        target_url: null,
      })),
    };
  return {
    check_runs: checks
      .filter((check) => !isStatus(check))
      .map(({ name, conclusion, summary }) => ({
        name,
        status: conclusion === null ? 'in_progress' : 'completed',
        conclusion,
        html_url: `https://${repo.host}/${repo.owner}/${repo.name}/runs/1`,
        output: { title: name, summary },
      })),
  };
}

const webUrl = ({ host, owner, name }: StandInRepo, { number }: StandInPull): string =>
  `https://${host}/${owner}/${name}/pull/${number}`;
