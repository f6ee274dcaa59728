import { z } from 'zod';
import { Fault } from '../contract/faults.ts';
import { type ProcessResult, runProcess } from '../platform/run-process.ts';

/** Who calls GitHub: the operator's own `gh`, with the operator's login. */
export interface GhCaller {
  /** See `ghEnvironment`. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface GhRequest {
  readonly host: string;
  readonly method?: 'GET' | 'POST' | 'PATCH';
  /** Below the API's root, without a slash in front, with its query. */
  readonly path: string;
  readonly body?: unknown;
  /** Of an earlier reply: GitHub then says 304 if nothing changed, which does not count against the rate limit. */
  readonly etag?: string | undefined;
}

export interface GhReply {
  /** The HTTP status; 304 comes only where an etag was sent. */
  readonly status: number;
  /** Names are in small letters. */
  readonly headers: ReadonlyMap<string, string>;
  /** Parsed JSON; null where there was none. */
  readonly body: unknown;
}

const CALL_LIMIT_MS = 30_000;
const LOGGED_OUT_EXIT_CODE = 4;
const KEPT = /^(HOME|PATH|USER|LANG|TMPDIR|XDG_.*|SSL_CERT_FILE|SSL_CERT_DIR|DBUS_SESSION_BUS_ADDRESS)$|_proxy$/i;
const KEPT_OF_GH = [
  'GH_TOKEN',
  'GITHUB_TOKEN',
  'GH_ENTERPRISE_TOKEN',
  'GITHUB_ENTERPRISE_TOKEN',
  'GH_CONFIG_DIR',
  'GH_HTTP_UNIX_SOCKET',
];

/** The environment of `gh`, from a process's own: its logins, proxies and certificates, and nothing that makes it ask. */
export function ghEnvironment(own: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(own).filter(([name]) => KEPT.test(name) || KEPT_OF_GH.includes(name));
  const env = Object.fromEntries(kept.map(([name, value]) => [name, value ?? '']));
  return {
    ...env,
    GH_PROMPT_DISABLED: '1',
    GH_NO_UPDATE_NOTIFIER: '1',
    GH_NO_EXTENSION_UPDATE_NOTIFIER: '1',
    NO_COLOR: '1',
  };
}

/**
 * Calls GitHub's REST API through `gh api`, which brings the login. An answer of GitHub is a reply, whatever its
 * status below 500. Faults: GH_MISSING, GH_LOGGED_OUT, GITHUB_UNREACHABLE, GITHUB_BUSY.
 */
export async function ghApi(request: GhRequest, caller: GhCaller): Promise<GhReply> {
  const { host, method = 'GET', path, body, etag } = request;
  const args = ['api', '--hostname', host, '--include', '--method', method];
  if (etag !== undefined) args.push('--header', `If-None-Match: ${etag}`);
  if (body !== undefined) args.push('--input', '-');
  const result = await runGh([...args, path], host, caller, body === undefined ? undefined : JSON.stringify(body));
  const reply = readReply(result.stdout.toString('utf8'));
  if (reply !== undefined) return checked(reply, host);
  if (result.exitCode === LOGGED_OUT_EXIT_CODE) throw loggedOut(host);
  const detail = result.stderr.trim();
  throw new Fault('GITHUB_UNREACHABLE', `GitHub at ${host} was not reached.`, detail === '' ? {} : { detail });
}

/** True if `gh` has a login for the host. Faults: GH_MISSING, GITHUB_UNREACHABLE. */
export async function hasLogin(host: string, caller: GhCaller): Promise<boolean> {
  return (await runGh(['auth', 'token', '--hostname', host], host, caller)).exitCode === 0;
}

async function runGh(args: string[], host: string, { env, signal }: GhCaller, input?: string): Promise<ProcessResult> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(CALL_LIMIT_MS)]);
  try {
    const result = await runProcess('gh', args, {
      env,
      signal: limited,
      // Where `gh` is a script, what that started would keep the pipes open beyond the limit.
      hasOwnGroup: true,
      ...(input === undefined ? {} : { input }),
    });
    if (result.startError !== null) throw ghMissing(result.startError);
    return result;
  } catch (error) {
    signal.throwIfAborted();
    if ((error as Error).name !== 'TimeoutError') throw error;
    throw new Fault('GITHUB_UNREACHABLE', `gh gave no answer for ${host} within ${CALL_LIMIT_MS / 1000} s.`);
  }
}

export function loggedOut(host: string): Fault {
  return new Fault('GH_LOGGED_OUT', `gh has no login for ${host}, or one that ${host} refuses.`, {
    hint: `Log in with \`gh auth login --hostname ${host}\`, or set ${host === 'github.com' ? 'GH_TOKEN' : 'GH_ENTERPRISE_TOKEN'} for the service; \`takt push\` works without it.`,
  });
}

function ghMissing(code: string): Fault {
  return new Fault('GH_MISSING', `gh, the GitHub CLI, could not be started (${code}).`);
}

/** What `gh api --include` printed: status line, headers, an empty line, the body. Undefined if nobody answered. */
function readReply(text: string): GhReply | undefined {
  const end = /\r?\n\r?\n/.exec(text);
  const head = text.slice(0, end?.index ?? text.length);
  const [statusLine = '', ...lines] = head.split(/\r?\n/);
  const status = /^HTTP\/[\d.]+ (\d{3})\b/.exec(statusLine)?.[1];
  if (status === undefined) return undefined;
  const headers = lines.flatMap((line): [string, string][] => {
    const at = line.indexOf(':');
    return at < 1 ? [] : [[line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()]];
  });
  return {
    status: Number(status),
    headers: new Map(headers),
    body: parsed(text.slice(end === null ? text.length : end.index + end[0].length)),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** GitHub wants to be left alone for a while. */
export class GithubBusy extends Fault {
  readonly waitS: number;

  constructor(host: string, waitS: number) {
    super('GITHUB_BUSY', `GitHub at ${host} takes no more calls for now.`, {
      hint: `Repeat it in ${Math.ceil(waitS / 60)} min.`,
    });
    this.waitS = waitS;
  }
}

function checked(reply: GhReply, host: string): GhReply {
  if (reply.status === 401) throw loggedOut(host);
  if (reply.status >= 500) throw strange(host, reply);
  const waitS = waitOf(reply);
  if (waitS !== undefined) throw new GithubBusy(host, waitS);
  return reply;
}

/** For an answer that GitHub does not give when it is well: an outage, or something else that answers in its place. */
export function strange(host: string, reply: GhReply): Fault {
  return new Fault('GITHUB_UNREACHABLE', `What answers as GitHub at ${host} is not well (HTTP ${reply.status}).`, {
    detail: wordsOf(reply),
  });
}

/** The body as it should be. Fault GITHUB_UNREACHABLE where it is anything else. */
export function readBody<Value>(schema: z.ZodType<Value>, reply: GhReply, host: string): Value {
  const read = schema.safeParse(reply.body);
  if (!read.success) throw strange(host, reply);
  return read.data;
}

const DEFAULT_WAIT_S = 60;

/**
 * Seconds until GitHub takes calls again, if it refused this one for their number. Of its secondary limits it says so
 * by the page that it refers to, and need not name a time.
 */
function waitOf({ status, headers, body }: GhReply): number | undefined {
  if (status !== 403 && status !== 429) return undefined;
  const asked = Number(headers.get('retry-after'));
  if (asked > 0) return asked;
  const resetS = Number(headers.get('x-ratelimit-reset')) - Date.now() / 1000;
  const isSpent = headers.get('x-ratelimit-remaining') === '0';
  if (isSpent) return Math.max(DEFAULT_WAIT_S, Number.isNaN(resetS) ? 0 : resetS);
  return status === 429 || /rate-limit/.test(Refusal.parse(body ?? {}).documentation_url) ? DEFAULT_WAIT_S : undefined;
}

/** What GitHub says is wrong, in lines. */
export function wordsOf({ status, body }: GhReply): string {
  const { message, errors } = Refusal.parse(body ?? {});
  const more = errors.map((error) => (typeof error === 'string' ? error : (error.message ?? error.code ?? '')));
  return [`HTTP ${status}`, message, ...more].filter((word) => word !== '').join('\n');
}

const Refusal = z
  .object({
    message: z.string().catch(''),
    documentation_url: z.string().catch(''),
    errors: z
      .array(z.union([z.string(), z.object({ message: z.string().optional(), code: z.string().optional() })]))
      .catch([]),
  })
  .catch({ message: '', documentation_url: '', errors: [] });
