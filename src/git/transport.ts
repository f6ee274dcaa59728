import { fileURLToPath } from 'node:url';
import { gitResult } from './git.ts';

/** How git gets to an address. */
export type Transport =
  | { readonly kind: 'http'; readonly url: string }
  | { readonly kind: 'ssh'; readonly destination: string; readonly port: string | null }
  | { readonly kind: 'disk'; readonly path: string }
  /** The git protocol without a login, and old ones; `port` is null for the usual one. */
  | { readonly kind: 'socket'; readonly host: string; readonly port: string | null };

const GIT_PORT = '9418';

/**
 * Reads an address as git does (git-fetch(1), GIT URLS): a URL, `user@host:path`, or else a path. For `ssh`,
 * `destination` is what ssh takes: `user@host` or `host`.
 */
export function transportOf(address: string): Transport {
  if (/^https?:\/\//i.test(address)) return { kind: 'http', url: address };
  if (/^file:\/\//i.test(address)) return { kind: 'disk', path: fileURLToPath(address) };
  const url = /^(ssh|git\+ssh|ssh\+git|git|ftps?):\/\/(?:([^/@]*)@)?(\[[^\]]*\]|[^/:]*)(?::(\d*))?/i.exec(address);
  if (url !== null) {
    const [, scheme = '', user, host = '', port] = url;
    const usable = port === undefined || port === '' ? null : port;
    if (!/ssh/i.test(scheme)) return { kind: 'socket', host: withoutBrackets(host), port: usable };
    return { kind: 'ssh', destination: destinationOf(user, host), port: usable };
  }
  const scp = /^(?:([^/@:]*)@)?(\[[^\]]*\]|[^/:]+):/.exec(address);
  if (scp === null) return { kind: 'disk', path: address };
  const [, user, host = ''] = scp;
  // `[host:port]:path` is how this form carries a port.
  const [, inner, port] = /^\[([^:\]]+):(\d+)\]$/.exec(host) ?? [];
  return { kind: 'ssh', destination: destinationOf(user, inner ?? host), port: port ?? null };
}

/** Where a socket of the git protocol listens. */
export function socketPort({ port }: Extract<Transport, { kind: 'socket' }>): number {
  return Number(port ?? GIT_PORT);
}

/**
 * The address that git really uses for this one: `url.….insteadOf` of the user's configuration may turn an HTTPS
 * address into one over ssh, and `pushInsteadOf` only for pushes. Nobody is contacted.
 */
export async function rewrittenAddress(
  folder: string,
  address: string,
  p: {
    readonly isPush: boolean;
    readonly env: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  },
): Promise<string> {
  const pushed = p.isPush ? await pushAddress(folder, address, p) : undefined;
  if (pushed !== undefined) return pushed;
  const result = await gitResult(folder, ['ls-remote', '--get-url', '--', address], p);
  const said = result.stdout.toString('utf8').trimEnd();
  return result.exitCode === 0 && said !== '' ? said : address;
}

/** The longest of the rules that fit decides, as for git; undefined if none does. */
async function pushAddress(
  folder: string,
  address: string,
  p: { readonly env: Readonly<Record<string, string>>; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const args = ['config', '--null', '--get-regexp', '^url\\..*\\.pushinsteadof$'];
  const result = await gitResult(folder, args, p);
  const rules = result.stdout
    .toString('utf8')
    .split('\0')
    .flatMap((entry) => {
      const [key = '', prefix] = entry.split('\n');
      const start = key.slice('url.'.length, -'.pushinsteadof'.length);
      return prefix !== undefined && prefix !== '' && address.startsWith(prefix) ? [{ start, prefix }] : [];
    });
  const rule = rules.toSorted((one, other) => other.prefix.length - one.prefix.length)[0];
  return rule === undefined ? undefined : rule.start + address.slice(rule.prefix.length);
}

function destinationOf(user: string | undefined, host: string): string {
  const name = withoutBrackets(host);
  // Of `user:password@` ssh gets the name only, as from git.
  return user === undefined || user === '' ? name : `${user.split(':')[0]!}@${name}`;
}

const withoutBrackets = (host: string): string => host.replace(/^\[(.*)\]$/, '$1');
