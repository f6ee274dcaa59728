import { canConnect } from './can-connect.ts';
import { type Contact, SILENCE_LIMIT_MS } from './contact.ts';
import type { Exchange } from './contact-trace.ts';
import { credentialSources } from './http-credentials.ts';
import { type HttpProxy, proxyFor } from './http-proxy.ts';
import type { Judged, Verdict } from './verdict.ts';

const CONNECT_LIMIT_MS = 1_000;
/** What a proxy answers of its own accord; an upstream that is asked through it for plain HTTP might, too. */
const ANSWERS_OF_PROXIES = [403, 502, 503, 504];

/** Why a call over HTTP failed, by the status that was answered last and by whom. */
export async function httpVerdict(judged: Judged, contact: Contact, url: string): Promise<Verdict> {
  // With a name in the address, git may want the password before it calls anybody.
  if (!contact.wasCalled && hasNameOnly(url))
    return noPasswordVerdict(judged, await credentialSources(judged.folder, url, judged));
  const proxy = await proxyFor(judged.folder, url, judged);
  const last = contact.exchanges.findLast((exchange) => !isTunnel(exchange));
  if (proxy !== null && isProxysDoing(contact, last)) return proxyVerdict(judged, proxy, last);
  const status = last?.status ?? 0;
  const { upstream } = judged;
  if (status === 401 || status === 403 || status === 407) return deniedVerdict(judged, contact, url, status);
  if (status === 404 || status === 410) {
    const hint = 'Check the address. A server also says so of a repository that your account may not see.';
    return { code: 'UPSTREAM_MISSING', message: `There is no repository at ${upstream} (HTTP ${status}).`, hint };
  }
  if (status !== 0 && (status < 200 || status >= 300))
    return { code: 'UPSTREAM_UNREACHABLE', message: `The upstream ${upstream} answered with HTTP ${status}.` };
  if (contact.isSilent)
    return { code: 'UPSTREAM_UNREACHABLE', message: `The upstream ${upstream} took no call, or said nothing to it.` };
  if (contact.hasSpoken || last?.isGit === true)
    return { code: 'UPSTREAM_UNREACHABLE', message: `The connection to ${upstream} broke off.`, hint: GO_ON };
  if (status !== 0) return { code: 'UPSTREAM_MISSING', message: `What answers at ${upstream} is no git repository.` };
  return noAnswerVerdict(judged, contact, url);
}

const GO_ON = 'Repeat it: what was not taken whole was not taken at all.';

/** A tunnel that the proxy made: from then on the upstream itself answers. */
const isTunnel = ({ method, status }: Exchange): boolean => method === 'CONNECT' && status >= 200 && status < 300;

/** A tunnel that did not come about, and a plain request that the proxy, or whoever is behind it, turned down. */
function isProxysDoing({ exchanges, hasSpoken }: Contact, last: Exchange | undefined): boolean {
  if (last?.method === 'CONNECT' || last?.status === 407) return true;
  if (hasSpoken || exchanges.some(isTunnel)) return false;
  return last === undefined || last.status === 0 || ANSWERS_OF_PROXIES.includes(last.status);
}

async function proxyVerdict(
  { upstream, signal }: Judged,
  { address, host, port, from }: HttpProxy,
  last: Exchange | undefined,
): Promise<Verdict> {
  const refuse = (how: string, hint: string): Verdict => ({
    code: 'PROXY_REFUSED',
    message: `The proxy ${address} (${from}) ${how}, so ${upstream} was not reached.`,
    hint,
  });
  const around = 'an address that needs no proxy goes into no_proxy.';
  if (last?.status === 407)
    return refuse('asks for a name and a password', `Put them into ${from}, as http://NAME:PASSWORD@HOST:PORT.`);
  if (last !== undefined && last.status !== 0)
    return refuse(`refused (HTTP ${last.status})`, `Ask whoever runs the proxy; ${around}`);
  const isThere = await canConnect({ host, port }, { signal, limitMs: CONNECT_LIMIT_MS });
  signal.throwIfAborted();
  return isThere
    ? refuse('did not answer', `See whether it works; ${around}`)
    : refuse('takes no connections', `Start it, or mend ${from}; ${around}`);
}

async function deniedVerdict(judged: Judged, contact: Contact, url: string, status: number): Promise<Verdict> {
  const { upstream } = judged;
  if (status !== 401) {
    const hint = 'Give your account the right to it, or use another account.';
    return { code: 'UPSTREAM_DENIED', message: `The upstream ${upstream} refused access (HTTP ${status}).`, hint };
  }
  const sources = await credentialSources(judged.folder, url, judged);
  // Of a name alone curl makes a login with an empty password.
  if (sources.length === 0 && hasNameOnly(url)) return noPasswordVerdict(judged, sources);
  const ways = sources.join(' or ');
  const isSent = contact.exchanges.some(({ hasCredentials }) => hasCredentials);
  if (isSent) {
    const from = ways === '' ? '' : `, which came from ${ways}`;
    return {
      code: 'UPSTREAM_DENIED',
      message: `The upstream ${upstream} did not take the name and password (HTTP 401)${from}.`,
      hint: `Put the right ones there, so that ${worksFor(upstream)}.`,
    };
  }
  if (contact.isSilent && ways !== '')
    return {
      code: 'UPSTREAM_DENIED',
      message: `The upstream ${upstream} asks for a name and a password (HTTP 401), and ${ways} gave none within ${SILENCE_LIMIT_MS / 1000} s.`,
      hint: 'See whether it waits for somebody: where nobody sits, nobody is asked.',
    };
  const none = ways === '' ? 'no credential.helper is set for it, and ~/.netrc does not name it' : `${ways} had none`;
  return {
    code: 'UPSTREAM_DENIED',
    message: `The upstream ${upstream} asks for a name and a password (HTTP 401), and ${none}.`,
    hint: `Set up a credential helper, so that ${worksFor(upstream)}.`,
  };
}

const worksFor = (upstream: string): string => `\`git ls-remote ${upstream}\` works without a prompt`;

function hasNameOnly(url: string): boolean {
  const { username = '', password = '' } = URL.parse(url) ?? {};
  return username !== '' && password === '';
}

function noPasswordVerdict({ upstream }: Judged, sources: readonly string[]): Verdict {
  const why = sources.length === 0 ? 'no credential.helper is set for it' : `${sources.join(' or ')} had none`;
  return {
    code: 'UPSTREAM_DENIED',
    message: `git has no password for ${upstream}: ${why}.`,
    hint: `Set up a credential helper, so that ${worksFor(upstream)}.`,
  };
}

/** Who took a connection and yet answered nothing over TLS did not come to terms on it; why is in git's words. */
async function noAnswerVerdict({ upstream, signal }: Judged, { exchanges }: Contact, url: string): Promise<Verdict> {
  const parsed = URL.parse(url);
  if (parsed?.protocol === 'https:') {
    const to = {
      host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(parsed.port === '' ? 443 : parsed.port),
    };
    const isThere = exchanges.some(isTunnel) || (await canConnect(to, { signal, limitMs: CONNECT_LIMIT_MS }));
    signal.throwIfAborted();
    if (isThere)
      return {
        code: 'UPSTREAM_UNREACHABLE',
        message: `The upstream ${upstream} was reached, but no secured connection came about.`,
        hint: 'git’s words are above. A certificate authority of your own goes into git’s setting http.sslCAInfo.',
      };
  }
  return { code: 'UPSTREAM_UNREACHABLE', message: `The upstream ${upstream} gave no answer.` };
}
