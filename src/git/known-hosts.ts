import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isThere, readTextIfThere } from '../platform/files.ts';
import { runProcess } from '../platform/run-process.ts';
import { type SshCommand, type SshTransport, sshArguments } from './ssh-command.ts';

type Environment = Readonly<Record<string, string>>;

/** The key that a server showed, and the name under which ssh looks for it in known_hosts. */
export interface ShownKey {
  readonly name: string;
  readonly type: string;
  /** Base64, as in known_hosts. */
  readonly key: string;
}

const LOOK_LIMIT_MS = 3_000;
const CONNECT_LIMIT_S = 2;

/**
 * Connects once more and lets ssh itself tell which key the server shows: it hands it to KnownHostsCommand while it
 * checks it (ssh_config(5), TOKENS). Nobody logs in, so no wrong key of the user's is offered again. Null if no
 * server showed a key; undefined if this ssh cannot tell.
 */
export async function keyShownBy(
  { own, facts }: SshCommand,
  target: SshTransport,
  { env, signal }: { env: Environment; signal: AbortSignal },
): Promise<ShownKey | null | undefined> {
  // A command of the user's own would have to be left out, and with it keys that only it knows.
  if (facts.size === 0 || facts.has('knownhostscommand')) return undefined;
  const end = { env: { ...env, SSH_ASKPASS_REQUIRE: 'never' }, signal, hasOwnGroup: true };
  // An ssh before 8.5 does not know that option.
  const asked = ['-c', `${own} "$@"`, 'ssh', '-G', '-o', 'KnownHostsCommand=none', ...sshArguments(target)];
  if ((await runProcess('sh', asked, end)).exitCode !== 0) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'takt-key-'));
  try {
    const file = join(folder, 'key');
    const command = `/bin/sh -c 'echo "%I %H %t %K" >> "${file.replaceAll('%', '%%')}"'`;
    const options = [
      'BatchMode=yes',
      `ConnectTimeout=${CONNECT_LIMIT_S}`,
      'PreferredAuthentications=none',
      'ControlPath=none',
      `KnownHostsCommand=${command}`,
    ].flatMap((option) => ['-o', option]);
    const limited = AbortSignal.any([signal, AbortSignal.timeout(LOOK_LIMIT_MS)]);
    const args = ['-c', `${own} "$@"`, 'ssh', ...options, ...sshArguments(target), 'exit'];
    await runProcess('sh', args, { ...end, signal: limited });
    return shownIn((await readTextIfThere(file)) ?? '');
  } catch (error) {
    signal.throwIfAborted();
    if ((error as Error).name === 'TimeoutError') return null;
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function shownIn(text: string): ShownKey | null {
  const [, name = '', type = '', key = ''] = /^HOSTNAME (\S+) (\S+) (\S+)$/m.exec(text) ?? [];
  return key === '' ? null : { name, type, key };
}

/**
 * What known_hosts has of a server: its key, none at all, or others only, then with the file and line of the first.
 * Lines of certificate authorities count as its key, since a certificate is not compared here.
 */
export async function knownAs(
  { facts }: SshCommand,
  shown: ShownKey,
  { env, signal }: { env: Environment; signal: AbortSignal },
): Promise<
  { readonly kind: 'same' | 'none' } | { readonly kind: 'other'; readonly file: string; readonly line: string }
> {
  let other: { kind: 'other'; file: string; line: string } | undefined;
  for (const key of ['userknownhostsfile', 'globalknownhostsfile']) {
    for (const file of await filesIn(facts.get(key) ?? '')) {
      const found = await runProcess('ssh-keygen', ['-F', shown.name, '-f', file], { env, signal });
      if (found.exitCode !== 0) continue;
      const lines = found.stdout.toString('utf8').split('\n');
      const isRevoked = lines.some((line) => line.startsWith('@revoked') && line.includes(shown.key));
      const isKnown = lines.some(
        (line) => line.startsWith('@cert-authority') || (!line.startsWith('@') && line.includes(shown.key)),
      );
      if (isKnown && !isRevoked) return { kind: 'same' };
      // ssh-keygen does not translate this line; without it the number is left out.
      const line = / line (\d+)/.exec(lines.join('\n'))?.[1] ?? '';
      other ??= { kind: 'other', file, line };
      if (isRevoked) return other;
    }
  }
  return other ?? { kind: 'none' };
}

/** The files of a list that are there. `ssh -G` prints names with blanks as they are, so that pieces are joined. */
async function filesIn(list: string): Promise<string[]> {
  const files: string[] = [];
  let rest = '';
  for (const piece of list.split(' ')) {
    rest = rest === '' ? piece : `${rest} ${piece}`;
    if (rest === '' || rest === 'none' || !(await isThere(rest))) {
      // A whole name begins at the root; what is not there ends where the next one begins.
      if (!rest.startsWith('/')) rest = '';
      continue;
    }
    files.push(rest);
    rest = '';
  }
  return files;
}

/** As ssh shows it: `SHA256:…`. */
export function fingerprintOf({ key }: ShownKey): string {
  const digest = createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64');
  return `SHA256:${digest.replace(/=+$/, '')}`;
}
