import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { isHeldOutsideWalls } from './peer-process.ts';

/** Who is at the other end of a connection. */
export interface Peer {
  readonly user: number;
  /** False for confined work, which may have the same user id. */
  readonly isOutsideWalls: boolean;
}

const known = new WeakMap<Socket, Peer | null>();

/**
 * The peer of a TCP connection on this machine, or undefined if it cannot be told. Looked up once per connection, in
 * about a millisecond; the layout is that of proc_pid_net(5).
 */
export function peerOf(socket: Socket): Peer | undefined {
  const before = known.get(socket);
  if (before !== undefined) return before ?? undefined;
  const { remotePort, localPort } = socket;
  const peer = remotePort === undefined || localPort === undefined ? undefined : findPeer(remotePort, localPort);
  known.set(socket, peer ?? null);
  return peer;
}

function findPeer(theirPort: number, ourPort: number): Peer | undefined {
  // A closed connection shows user 0 and no inode, which must not be taken for root.
  const row = tcpRows().find(
    (each) =>
      each.localPort === theirPort &&
      each.remotePort === ourPort &&
      each.isLoopback &&
      each.state === ESTABLISHED &&
      each.inode !== 0,
  );
  if (row === undefined) return undefined;
  const { user, inode } = row;
  // Where takt is root, confined work is another user.
  return { user, isOutsideWalls: user === 0 || user !== process.getuid?.() || isHeldOutsideWalls(inode) };
}

/** The inode of the socket that listens on a port, or undefined. */
export function listeningInode(port: number): number | undefined {
  return tcpRows().find((row) => row.localPort === port && row.state === LISTEN && row.inode !== 0)?.inode;
}

const ESTABLISHED = '01';
const LISTEN = '0A';

interface TcpRow {
  readonly localPort: number;
  readonly remotePort: number;
  /** Both ends are this machine's own. */
  readonly isLoopback: boolean;
  readonly state: string;
  readonly user: number;
  readonly inode: number;
}

function tcpRows(): TcpRow[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => linesOf(file).slice(1).flatMap(readRow));
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch (error) {
    // A kernel without IPv6 has no tcp6.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function readRow(line: string): TcpRow[] {
  const fields = line.trim().split(/\s+/);
  const [, local, remote, state, , , , user, , inode] = fields;
  if (local === undefined || remote === undefined || state === undefined || inode === undefined) return [];
  const [localAddress, localPort] = local.split(':');
  const [remoteAddress, remotePort] = remote.split(':');
  return [
    {
      localPort: Number.parseInt(localPort!, 16),
      remotePort: Number.parseInt(remotePort!, 16),
      isLoopback: isLoopback(localAddress!) && isLoopback(remoteAddress!),
      state,
      user: Number(user),
      inode: Number(inode),
    },
  ];
}

/** 127.0.0.0/8, also as an IPv6 address, and ::1; each 32 bits are printed in the machine's byte order. */
function isLoopback(address: string): boolean {
  const isLittle = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
  const firstByte = isLittle ? address.slice(-2) : address.slice(-8, -6);
  if (address.length === 8) return firstByte === '7F';
  const one = isLittle ? '01000000' : '00000001';
  if (address === `${'0'.repeat(24)}${one}`) return true;
  return address.startsWith(`${'0'.repeat(16)}${isLittle ? 'FFFF0000' : '0000FFFF'}`) && firstByte === '7F';
}
