import { readdirSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { isNobodyThere } from '../../cli/connect.ts';
import type { ServiceStatus } from '../../contract/service.ts';
import { isThere } from '../../platform/files.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { httpTransport } from '../../platform/http-transport.ts';

const ANSWER_LIMIT_MS = 5_000;
const STATUS_LIMIT_MS = 12_000;
const CONNECT_LIMIT_MS = 2_000;

/** How the service of a home is found, without starting, stopping or disturbing it. */
export type ServiceState =
  | { readonly kind: 'answers' }
  /** Somebody takes connections and says nothing, or has the home's lock and no socket. */
  | { readonly kind: 'silent'; readonly pid: number | undefined }
  /** None runs; `left` are files of one that was killed. */
  | { readonly kind: 'none'; readonly left: string[] };

export async function serviceState(layout: HomeLayout, signal: AbortSignal): Promise<ServiceState> {
  const pid = lockHolder(layout.lock);
  const limit = AbortSignal.timeout(ANSWER_LIMIT_MS);
  try {
    await askSocket(layout, '/api/jobs', AbortSignal.any([signal, limit]));
    return { kind: 'answers' };
  } catch (error) {
    signal.throwIfAborted();
    if (!isNobodyThere(error) || pid !== undefined) return { kind: 'silent', pid };
  }
  const left: string[] = [];
  for (const file of [layout.socket, serviceFileOf(layout)]) if (await isThere(file)) left.push(file);
  return { kind: 'none', left };
}

const serviceFileOf = (layout: HomeLayout): string => join(layout.state, 'service.json');

/** What the service says of itself; undefined if it does not say so in time, or says that it cannot. */
export async function statusOf(layout: HomeLayout, signal: AbortSignal): Promise<Partial<ServiceStatus> | undefined> {
  try {
    const limit = AbortSignal.timeout(STATUS_LIMIT_MS);
    const { status, text } = await askSocket(layout, '/api/status', AbortSignal.any([signal, limit]));
    return status === 200 ? (JSON.parse(text) as Partial<ServiceStatus>) : undefined;
  } catch {
    // Whether it answers at all is for the check of the service to say.
    signal.throwIfAborted();
    return undefined;
  }
}

async function askSocket(
  layout: HomeLayout,
  path: string,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  const { send } = httpTransport({ kind: 'socket', path: layout.socket });
  const reply = await send({ method: 'GET', path, headers: {}, body: undefined, signal });
  let text = '';
  for await (const chunk of reply.body) text += chunk;
  return { status: reply.status, text };
}

/** True if somebody takes connections at a socket; one with a full queue counts. */
export function isListening(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect({ path: socket, timeout: CONNECT_LIMIT_MS });
    const settle = (answer: boolean): void => {
      connection.destroy();
      resolve(answer);
    };
    connection.once('connect', () => settle(true));
    connection.once('timeout', () => settle(true));
    connection.once('error', (error) => settle(!isNobodyThere(error)));
  });
}

/**
 * The process that has locked a file for itself, from the kernel's list (proc(5), `/proc/locks`), which costs the holder
 * nothing: to try for the lock would keep a service from starting in that moment. 0 if it is not to be seen from here, as
 * one of another container.
 */
export function lockHolder(file: string): number | undefined {
  const facts = statSync(file, { bigint: true, throwIfNoEntry: false });
  if (facts === undefined) return undefined;
  return holderAmong(readFileSync('/proc/locks', 'utf8'), facts, (pid) => hasOpen(pid, facts));
}

interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
}

/**
 * The same from a text of `/proc/locks`. `isOpenIn` says whether a process has the file open, undefined if that may not
 * be looked at. An inode alone names no file: it is the same for the first files of any two fresh disks.
 */
export function holderAmong(
  locks: string,
  { dev, ino }: FileIdentity,
  isOpenIn: (pid: number) => boolean | undefined,
): number | undefined {
  for (const line of locks.split('\n')) {
    const [, , , access, holder, place = ''] = line.trim().split(/\s+/);
    const [major, minor, inode] = place.split(':');
    if (access !== 'WRITE' || inode !== String(ino)) continue;
    const pid = Math.max(0, Number(holder));
    const isOpen = pid !== 0 && isOpenIn(pid);
    if (isOpen === true) return pid;
    // Of some file systems (btrfs, overlay) the kernel's list has another device than `stat`: of those nothing is said.
    const isSameDevice = BigInt(`0x${major}`) === majorOf(dev) && BigInt(`0x${minor}`) === minorOf(dev);
    if (isSameDevice) return isOpen === undefined ? pid : 0;
  }
  return undefined;
}

// As Linux packs them (makedev(3)).
const majorOf = (dev: bigint): bigint => ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n);
const minorOf = (dev: bigint): bigint => (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);

/** Undefined for a process whose files this user may not see. */
function hasOpen(pid: number, { dev, ino }: FileIdentity): boolean | undefined {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).some((name) => {
      const facts = statSync(join(folder, name), { bigint: true, throwIfNoEntry: false });
      return facts?.dev === dev && facts.ino === ino;
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') return undefined;
    if (code === 'ENOENT' || code === 'ESRCH') return false;
    throw error;
  }
}
