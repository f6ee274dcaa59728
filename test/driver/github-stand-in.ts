import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { answerGit } from './git-http.ts';
import { commitOf, gitIn, mergePull, type StandInPull, type StandInRepo } from './github-repos.ts';
import { openTlsProxy } from './tls-proxy.ts';

/**
 * A stand-in of GitHub on loopback: git over HTTPS, and the part of the REST API that takt uses, over TLS with an
 * authority of its own. The real `git` and the real `gh` are led to it by a proxy, under GitHub's own host names.
 */
export interface GithubStandIn {
  readonly token: string;
  readonly environment: Record<string, string>;
  /** Calls of the API: `GET repos/acme/app/pulls?state=open`, with the status that was given. */
  readonly calls: { readonly line: string; readonly status: number }[];
  /** Makes a repository from a bare one; gives the address that git takes. */
  add(owner: string, name: string, from: string, host?: string): Promise<{ repo: StandInRepo; url: string }>;
  repo(name: string): StandInRepo;
  /** The newest pull request of a repository. */
  pull(name: string): StandInPull;
  merge(name: string, how: 'merge' | 'squash'): Promise<void>;
  /** Answers API calls itself; undefined leaves them to the stand-in. May wait, to hold a call up. */
  intercept: ((line: string) => Promise<{ status: number; headers?: Record<string, string> } | undefined>) | undefined;
  [Symbol.asyncDispose](): Promise<void>;
}

interface ApiReply {
  readonly status: number;
  readonly body: unknown;
}

const HOSTS = ['github.com', 'api.github.com', 'github.example.org'];

export async function openGithub(folder: string): Promise<GithubStandIn> {
  const token = 'gho_stand_in';
  const repos: StandInRepo[] = [];
  const top = join(folder, 'github');
  const proxy = await openTlsProxy(folder, HOSTS, (request, response) => {
    const host = request.headers.host ?? '';
    const path = request.url ?? '/';
    if (host === 'api.github.com') void api(request, response, host, path.slice(1));
    else if (path.startsWith('/api/v3/')) void api(request, response, host, path.slice('/api/v3/'.length));
    else serveGit(join(top, host), token, request, response);
  });
  const github: GithubStandIn = {
    token,
    environment: proxy.environment,
    calls: [],
    intercept: undefined,
    async add(owner, name, from, host = 'github.com') {
      const bare = join(top, host, owner, `${name}.git`);
      await mkdir(dirname(bare), { recursive: true });
      await gitIn(folder, 'clone', '-q', '--bare', from, bare);
      const repo: StandInRepo = {
        host,
        owner,
        name,
        bare,
        pulls: [],
        protectedBranches: new Set(),
        hasDrafts: true,
        isArchived: false,
      };
      repos.push(repo);
      return { repo, url: `https://${host}/${owner}/${name}.git` };
    },
    repo(name) {
      const found = repos.find((repo) => repo.name === name);
      if (found === undefined) throw new Error(`no repository ${name}`);
      return found;
    },
    pull(name) {
      const found = repos.find((repo) => repo.name === name && repo.pulls.length > 0)?.pulls.at(-1);
      if (found === undefined) throw new Error(`no pull request in ${name}`);
      return found;
    },
    async merge(name, how) {
      const repo = repos.find((each) => each.name === name && each.pulls.length > 0)!;
      const pull = repo.pulls.at(-1)!;
      const head = repos.find((each) => each.owner === pull.headOwner && each.name === pull.headName)!;
      await mergePull(repo, pull, head, how);
    },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };

  async function api(request: IncomingMessage, response: ServerResponse, host: string, path: string): Promise<void> {
    const line = `${request.method} ${path}`;
    const body = await bodyOf(request);
    const given = await github.intercept?.(line);
    const isAllowed = request.headers.authorization === `token ${token}`;
    const reply: ApiReply =
      given !== undefined
        ? { status: given.status, body: { message: 'stood in the way' } }
        : isAllowed
          ? await answerApi(repos, host === 'api.github.com' ? 'github.com' : host, request.method ?? '', path, body)
          : { status: 401, body: { message: 'Bad credentials' } };
    const { body: shown, link } = pageOf(reply.body, host, path);
    const text = JSON.stringify(shown);
    const etag = `W/"${createHash('sha256').update(text).digest('hex')}"`;
    const isSame = reply.status === 200 && request.headers['if-none-match'] === etag;
    const status = isSame ? 304 : reply.status;
    github.calls.push({ line, status });
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', etag, ...link, ...given?.headers });
    response.end(isSame ? undefined : text);
  }

  return github;
}

/** A list comes in pages, and the header says where the next one is. */
function pageOf(body: unknown, host: string, path: string): { body: unknown; link: { link?: string } } {
  if (!Array.isArray(body)) return { body, link: {} };
  const url = new URL(path, `https://${host}/`);
  const size = Number(url.searchParams.get('per_page') ?? 30);
  const page = Number(url.searchParams.get('page') ?? 1);
  url.searchParams.set('page', String(page + 1));
  const link = body.length > page * size ? { link: `<${url.href}>; rel="next"` } : {};
  return { body: body.slice((page - 1) * size, page * size), link };
}

function serveGit(folder: string, token: string, request: IncomingMessage, response: ServerResponse): void {
  const [, encoded = ''] = (request.headers.authorization ?? '').split(' ');
  const [, password] = Buffer.from(encoded, 'base64').toString().split(':');
  if (password !== token) response.writeHead(401, { 'www-authenticate': 'Basic realm="GitHub"' }).end();
  else answerGit(folder, 'operator', request, response);
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

async function answerApi(
  repos: StandInRepo[],
  host: string,
  method: string,
  path: string,
  body: Record<string, unknown>,
): Promise<ApiReply> {
  const url = new URL(path, 'https://api/');
  const [, owner, name, ...rest] = url.pathname.slice(1).split('/').map(decodeURIComponent);
  const repo = repos.find((each) => each.host === host && each.owner === owner && each.name === name);
  if (repo === undefined) return { status: 404, body: { message: 'Not Found' } };
  const [noun, id, part] = rest;
  const ok = (reply: unknown): ApiReply => ({ status: 200, body: reply });
  if (noun === undefined) return ok({ full_name: `${repo.owner}/${repo.name}`, archived: repo.isArchived });
  if (noun === 'rules') return ok(repo.protectedBranches.has(part ?? '') ? [{ type: 'non_fast_forward' }] : []);
  if (noun === 'branches') return { status: 404, body: { message: 'Branch not found' } };
  if (noun === 'pulls' && id === undefined && method === 'POST') return createPull(repos, repo, body);
  if (noun === 'pulls' && id === undefined) return ok(await listPulls(repos, repo, url.searchParams));
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
  if (repo.pulls.some((pull) => pull.state === 'open' && pull.branch === branch && pull.headOwner === headOwner))
    return refuse(`A pull request already exists for ${headOwner}:${branch}.`);
  if (body['draft'] === true && !repo.hasDrafts) return refuse('Draft pull requests are not supported');
  const pull: StandInPull = {
    number: Math.max(0, ...repos.map((each) => each.pulls.length)) + 10 * repos.indexOf(repo) + 1,
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
    head: { sha: pull.head ?? (await headOf(repos, pull)), ref: pull.branch },
    base: { ref: pull.base },
  };
}

async function headOf(repos: StandInRepo[], pull: StandInPull): Promise<string | null> {
  const head = repos.find(({ owner, name }) => owner === pull.headOwner && name === pull.headName)!;
  return commitOf(head.bare, pull.branch);
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
