import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../contract/faults.ts';
import { canConnect } from './can-connect.ts';
import { type Contact, contactUpstream } from './contact.ts';
import { gitFault, quietEnvironment } from './git.ts';
import { httpVerdict } from './http-verdict.ts';
import { ownGitFault } from './own-settings.ts';
import { sshVerdict } from './ssh-verdict.ts';
import { socketPort, type Transport } from './transport.ts';
import type { Judged, Verdict } from './verdict.ts';

type FailedCall = Omit<Judged, 'env'> & {
  readonly env?: Judged['env'];
  /** What was seen of the call; without it the upstream is asked once more. */
  readonly contact?: Contact;
};

const CONNECT_LIMIT_MS = 2_000;

/**
 * Finds out why git could not talk to an upstream, and gives the fault for it.
 *
 * git ends with 128 for everything and gives the cause only in prose. So it is decided by what was seen of the call
 * (statuses of HTTP, the exit code of ssh, whether the other side spoke) and by second looks that take a moment: at
 * the server's key, at the proxy, at git's settings. For a path, the disk is asked. What keeps git from every upstream
 * says nothing of this one, and comes first.
 */
export async function upstreamFault(call: FailedCall): Promise<Fault> {
  const disk = await gitFault(call.folder, [], {
    exitCode: 128,
    signal: null,
    stdout: Buffer.alloc(0),
    stderr: call.words,
    startError: null,
    isOverLimit: false,
  });
  if (disk.code === 'DISK_FULL') return disk;
  const judged = { ...call, env: call.env ?? quietEnvironment() };
  const contact = call.contact ?? (await askOnceMore(judged));
  const own = await ownGitFault(contact.transport, judged);
  if (own !== undefined) return own;
  const { code, message, hint } = await verdictOn(judged, contact);
  return new Fault(code, message, { detail: call.words.trim(), ...(hint === undefined ? {} : { hint }) });
}

/** A person was asked once already. */
async function askOnceMore({ folder, upstream, signal, env }: Judged): Promise<Contact> {
  const silent = { ...env, GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: '', SSH_ASKPASS: '' };
  const args = ['ls-remote', '--', upstream, 'HEAD'];
  return (await contactUpstream(folder, args, { upstream, signal, env: silent })).contact;
}

async function verdictOn(judged: Judged, contact: Contact): Promise<Verdict> {
  const { transport } = contact;
  switch (transport.kind) {
    case 'http':
      return httpVerdict(judged, contact, transport.url);
    case 'ssh':
      return sshVerdict(judged, contact, transport, contact.ssh!);
    case 'disk':
      return diskVerdict(transport.path);
    case 'socket':
      return socketVerdict(judged, contact, transport);
  }
}

async function diskVerdict(path: string): Promise<Verdict> {
  for (const gitFolder of [join(path, '.git'), path, `${path}.git`]) {
    try {
      await stat(join(gitFolder, 'objects'));
      const owner = (await stat(gitFolder)).uid;
      if (owner !== process.getuid?.()) {
        return {
          code: 'UPSTREAM_DENIED',
          message: `The repository ${path} belongs to another user (id ${owner}), and git refuses to read it.`,
          hint: `If you trust it: git config --global --add safe.directory ${gitFolder}`,
        };
      }
      return { code: 'UPSTREAM_DAMAGED', message: `The repository ${path} cannot be read.` };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EACCES')
        return {
          code: 'UPSTREAM_DENIED',
          message: `${path} may not be read.`,
          hint: 'Give yourself the right to read that folder.',
        };
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    }
  }
  return { code: 'UPSTREAM_MISSING', message: `There is no git repository at ${path}.` };
}

/** A server of the git protocol closes without a code: whoever accepts the connection lacks the repository. */
async function socketVerdict(
  { upstream, signal }: Judged,
  { hasSpoken, isSilent }: Contact,
  socket: Extract<Transport, { kind: 'socket' }>,
): Promise<Verdict> {
  if (hasSpoken) return { code: 'UPSTREAM_UNREACHABLE', message: `The connection to ${upstream} broke off.` };
  const to = { host: socket.host, port: socketPort(socket) };
  const isOpen = !isSilent && (await canConnect(to, { signal, limitMs: CONNECT_LIMIT_MS }));
  signal.throwIfAborted();
  if (isOpen) return { code: 'UPSTREAM_MISSING', message: `The server of ${upstream} shows no such repository.` };
  return { code: 'UPSTREAM_UNREACHABLE', message: `The upstream ${upstream} was not reached.` };
}
