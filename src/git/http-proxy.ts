import { BlockList, isIP } from 'node:net';
import { withoutSecrets } from '../contract/secrets.ts';
import { gitResult } from './git.ts';

/** The proxy that git takes for an address. */
export interface HttpProxy {
  /** Without its password. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  /** Where it is set: `the variable https_proxy` or `git’s setting http.proxy`. */
  readonly from: string;
}

type Environment = Readonly<Record<string, string>>;

/** curl's default for a proxy without a port (CURLOPT_PROXY(3)). */
const DEFAULT_PORT = 1080;

/**
 * Which proxy git uses for an HTTP address, by its own rules (git-config(1), http.proxy): the setting, also by address;
 * else the variables, small letters first; an empty one means none, and `no_proxy` excepts hosts. Null if it goes
 * straight.
 */
export async function proxyFor(
  folder: string,
  url: string,
  { env, signal }: { env: Environment; signal: AbortSignal },
): Promise<HttpProxy | null> {
  const configured = await gitResult(folder, ['config', '--get-urlmatch', 'http.proxy', url], { env, signal });
  const named =
    configured.exitCode === 0
      ? { value: configured.stdout.toString('utf8').trimEnd(), from: 'git’s setting http.proxy' }
      : namedByVariable(url, env);
  if (named === null || named.value === '' || isExcepted(url, env)) return null;
  const proxy = parsed(named.value);
  return proxy === null ? null : { ...proxy, address: withoutSecrets(wholeProxy(named.value)), from: named.from };
}

function namedByVariable(url: string, env: Environment): { value: string; from: string } | null {
  // HTTP_PROXY in capitals is not read: a CGI program gets it from a header of its client.
  const names = /^https:/i.test(url) ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy'];
  const name = [...names, 'all_proxy', 'ALL_PROXY'].find((each) => env[each] !== undefined);
  return name === undefined ? null : { value: env[name]!, from: `the variable ${name}` };
}

/** A proxy without a scheme is asked over HTTP (CURLOPT_PROXY(3)). */
const wholeProxy = (value: string): string => (value.includes('://') ? value : `http://${value}`);

function parsed(value: string): { host: string; port: number } | null {
  const url = URL.parse(wholeProxy(value));
  if (url === null || url.hostname === '') return null;
  const byScheme = url.protocol === 'https:' ? 443 : DEFAULT_PORT;
  // URL drops a port that is usual for its scheme, so it is read from the text.
  const written = /:(\d+)\/?$/.exec(value)?.[1];
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: written === undefined ? byScheme : Number(written) };
}

/** As curl reads no_proxy (CURLOPT_NOPROXY(3)): `*`, hosts with all that is below them, addresses and their ranges. */
function isExcepted(url: string, env: Environment): boolean {
  const host = URL.parse(url)
    ?.hostname.replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  const list = env['no_proxy'] ?? env['NO_PROXY'] ?? '';
  if (host === undefined) return false;
  const entries = list.split(/[\s,]+/).filter((entry) => entry !== '');
  return entries.some((entry) => entry === '*' || (isIP(host) > 0 ? isInRange(host, entry) : isBelow(host, entry)));
}

function isBelow(host: string, entry: string): boolean {
  const name = entry.toLowerCase().replace(/^\./, '').replace(/\.$/, '');
  return host === name || host.endsWith(`.${name}`);
}

function isInRange(address: string, entry: string): boolean {
  const [network = '', bits] = entry.replace(/^\[(.*)\]$/, '$1').split('/');
  const family = isIP(network);
  if (family === 0 || family !== isIP(address)) return false;
  const kind = family === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  const width = bits === undefined ? (family === 6 ? 128 : 32) : Number(bits);
  if (!(width >= 0 && width <= (family === 6 ? 128 : 32))) return false;
  list.addSubnet(network, width, kind);
  return list.check(address, kind);
}
