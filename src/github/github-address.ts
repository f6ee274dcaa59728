import type { GithubPlace } from '../contract/pull-request.ts';

/** Where GitHub takes ssh on the port of HTTPS; the repositories are those of the host on the right. */
const SSH_OVER_HTTPS: Readonly<Record<string, string>> = { 'ssh.github.com': 'github.com' };

/**
 * The repository that an address of git names, if its path has the two parts that every repository on GitHub has; null
 * for all others, such as a path on this disk. Whether the host is a GitHub is not known from the address.
 */
export function placeInAddress(address: string): GithubPlace | null {
  const { host, path } = partsOf(address) ?? { host: '', path: '' };
  const [owner, name, ...more] = path.replace(/^\/+|\/+$/g, '').split('/');
  if (host === '' || owner === undefined || name === undefined || more.length > 0) return null;
  const plainName = name.replace(/\.git$/, '');
  const isPlain = (word: string): boolean => /^[A-Za-z0-9_.-]+$/.test(word) && word !== '.' && word !== '..';
  if (!isPlain(owner) || !isPlain(plainName)) return null;
  return { host: SSH_OVER_HTTPS[host] ?? host, owner, name: plainName };
}

/** The host that an ssh address names, which may be an alias of the user's ssh configuration; null for all others. */
export function sshHostIn(address: string): string | null {
  if (/^(ssh|git\+ssh|ssh\+git):\/\//i.test(address)) return hostOfUrl(address);
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? null : (scpParts(address)?.host ?? null);
}

function partsOf(address: string): { host: string; path: string } | null {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(address)) return scpParts(address);
  if (!/^(https?|ssh|git|git\+ssh|ssh\+git):\/\//i.test(address) || !URL.canParse(address)) return null;
  const host = hostOfUrl(address);
  const { pathname, port } = new URL(address);
  if (host === null) return null;
  // `gh` takes a host with a port where one is served over HTTPS; ports of ssh say nothing about the API.
  const isWeb = /^https:/i.test(address) && port !== '';
  return { host: isWeb ? `${host}:${port}` : host, path: pathname };
}

/** Of `user@host:path`, which is no URL: a slash before the first colon makes it a path on this disk. */
function scpParts(address: string): { host: string; path: string } | null {
  const [, host = '', path = ''] = /^(?:[^/:@\s]+@)?([A-Za-z0-9_.-]+):(.+)$/.exec(address) ?? [];
  return host === '' ? null : { host: host.toLowerCase(), path };
}

function hostOfUrl(address: string): string | null {
  if (!URL.canParse(address)) return null;
  const { hostname } = new URL(address);
  return hostname === '' ? null : hostname.toLowerCase();
}
