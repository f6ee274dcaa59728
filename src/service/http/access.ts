import { createHash, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { Fault } from '../../contract/faults.ts';
import type { Operation } from '../../contract/operation.ts';
import { HOME_HEADER } from '../../contract/service.ts';
import { peerOf } from './peer-user.ts';

/** What is known of a request before its body is read. */
export interface Request {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly socket: Socket;
  /** True if it came over the Unix socket, which only the owner of the home can open. */
  readonly isLocal: boolean;
}

/** What the service is, for the checks. */
export interface Identity {
  readonly homeId: string;
  readonly token: string;
  readonly port: number;
}

/** The cookie that holds the token in a browser. */
export const TOKEN_COOKIE = 'takt_token';

/**
 * Checks that hold for every request, whatever it asks for: that it was meant for this home, by this address, and not
 * sent by a page of somebody else. Over the Unix socket only the home counts.
 */
export function checkOrigin(request: Request, identity: Identity): void {
  const home = header(request, HOME_HEADER);
  if (home !== undefined && home !== identity.homeId)
    throw new Fault('HOME_OTHER', 'This service belongs to another home than the one asked for.');
  if (request.isLocal) return;

  const hosts = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${identity.port}`);
  const host = header(request, 'host')?.toLowerCase() ?? '';
  if (!hosts.includes(host))
    throw new Fault('HOST_REFUSED', `The service does not answer as ${host === '' ? 'a host without name' : host}.`);
  const origin = header(request, 'origin');
  if (origin !== undefined && origin !== `http://${host}`)
    throw new Fault('ORIGIN_REFUSED', `A page of ${origin} may not call the service.`);
  const site = header(request, 'sec-fetch-site') ?? 'none';
  // `same-site` is another port of this machine: somebody else's page all the same.
  if (site !== 'none' && site !== 'same-origin')
    throw new Fault('ORIGIN_REFUSED', 'A page of another site may not call the service.');
}

/** A body has to be marked as JSON, since forms of foreign pages can send any other kind without being asked. */
export function checkContentType(request: Request): void {
  const type = header(request, 'content-type');
  const hasBody =
    (header(request, 'content-length') ?? '0') !== '0' || header(request, 'transfer-encoding') !== undefined;
  const isEffect = request.method !== 'GET' && request.method !== 'HEAD';
  // A DELETE has no body, and the header that carries the token is one that no form can send either.
  const isPlainDelete = request.method === 'DELETE' && header(request, 'authorization') !== undefined;
  const isNeeded = hasBody || (isEffect && !request.isLocal && !isPlainDelete);
  if (!isNeeded && type === undefined) return;
  if (type !== undefined && /^application\/json\s*(;|$)/i.test(type)) return;
  throw new Fault(
    'BODY_NOT_JSON',
    type === undefined ? 'The request has no content type.' : `A body of type ${type} is refused.`,
  );
}

/** Refuses whoever may not do this: reading is for the same user or a token, every effect for a token. */
export function checkRight(
  request: Request,
  identity: Identity,
  { who, method }: { who: Operation['who']; method: string },
): void {
  if (request.isLocal || hasToken(request, identity.token)) return;
  const isRead = who === 'anyone' && method === 'GET';
  if (!isRead) throw new Fault('ACCESS_DENIED', 'This needs the token of the home.');
  const peer = peerOf(request.socket);
  if (peer !== undefined && peer.user === process.getuid?.() && peer.isOutsideWalls) return;
  throw new Fault('ACCESS_DENIED', 'Reading is for the user whose service this is, or with the token of the home.');
}

function hasToken(request: Request, token: string): boolean {
  const bearer = /^Bearer\s+(\S+)$/i.exec(header(request, 'authorization') ?? '')?.[1];
  if (bearer !== undefined) return isSame(bearer, token);
  return cookies(header(request, 'cookie') ?? '').some(
    ([name, value]) => name === TOKEN_COOKIE && isSame(value, token),
  );
}

/** Hashed first, so that neither the time nor the length tells anything. */
export function isSame(given: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(right));
}

function cookies(text: string): [name: string, value: string][] {
  return text.split(';').map((part) => {
    const [name = '', ...rest] = part.split('=');
    return [name.trim(), rest.join('=').trim()];
  });
}

function header(request: Request, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
