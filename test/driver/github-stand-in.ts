import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { answerGit } from './git-http.ts';
import { type ApiReply, answerApi } from './github-api.ts';
import { gitIn, mergePull, type StandInPull, type StandInRepo } from './github-repos.ts';
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
  intercept: ((line: string) => Promise<Intercepted | undefined>) | undefined;
  [Symbol.asyncDispose](): Promise<void>;
}

interface Intercepted {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  /** Sent as it is, whatever it is. */
  readonly text?: string;
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
        oldNames: [],
        latestNumber: 0,
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
        ? { status: given.status, body: given.body ?? { message: 'stood in the way' } }
        : isAllowed
          ? await answerApi(repos, host === 'api.github.com' ? 'github.com' : host, request.method ?? '', path, body)
          : { status: 401, body: { message: 'Bad credentials' } };
    const { body: shown, link } = pageOf(reply.body, host, path);
    const text = given?.text ?? JSON.stringify(shown);
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
  const linkTo = (to: number, rel: string): string => {
    url.searchParams.set('page', String(to));
    return `<${url.href}>; rel="${rel}"`;
  };
  const last = Math.ceil(body.length / size);
  const link = last > page ? { link: `${linkTo(page + 1, 'next')}, ${linkTo(last, 'last')}` } : {};
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
