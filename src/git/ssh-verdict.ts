import { runProcess } from '../platform/run-process.ts';
import type { Contact } from './contact.ts';
import { fingerprintOf, keyShownBy, knownAs, type ShownKey } from './known-hosts.ts';
import { shellWord } from './shell-word.ts';
import { SSH_FAILED, type SshCommand, type SshTransport, sshArguments } from './ssh-command.ts';
import type { Judged, Verdict } from './verdict.ts';

const COMMAND_MISSING = 127;
/** A call that ended after so long ran into a limit: there is no time left to connect once more, nor a need. */
const LATE_MS = 4_500;
const AGENT_LIMIT_MS = 2_000;

/** Why a call over ssh failed: by ssh's exit code, and by a second look at the server's key. */
export async function sshVerdict(
  judged: Judged,
  contact: Contact,
  target: SshTransport,
  ssh: SshCommand,
): Promise<Verdict> {
  const { upstream } = judged;
  const { sshExitCode, hasSpoken, isSilent, elapsedMs } = contact;
  const by = wayOf(ssh);
  const unreachable = (how: string): Verdict => ({ code: 'UPSTREAM_UNREACHABLE', message: `${how}${by}.` });
  if (hasSpoken) return unreachable(`The connection to ${upstream} broke off`);
  if (isSilent || (sshExitCode === SSH_FAILED && elapsedMs > LATE_MS))
    return unreachable(`The server of ${upstream} took no call, or said nothing to it`);
  if (sshExitCode === COMMAND_MISSING && !(await isThere(ssh, judged)))
    return {
      ...unreachable(`\`${firstWord(ssh)}\`, by which ${upstream} is reached, does not start`),
      hint: 'Install ssh.',
    };
  if (sshExitCode !== null && sshExitCode !== SSH_FAILED) {
    const hint = 'Check the address. A server also says so of a repository that the owner of this key may not see.';
    return { code: 'UPSTREAM_MISSING', message: `The server of ${upstream} shows no such repository.`, hint };
  }
  const shown = await keyShownBy(ssh, target, judged);
  if (shown === null) return unreachable(`The upstream ${upstream} was not reached over ssh`);
  if (shown !== undefined) return keyVerdict(judged, { ssh, target, shown });
  return (
    (await verdictOnWords(judged, { ssh, target })) ?? unreachable(`The upstream ${upstream} was not reached over ssh`)
  );
}

/**
 * Another ssh, or an old one, tells only in prose, which is not translated. A phrase that changes some day makes all of
 * these look "unreachable".
 */
async function verdictOnWords(judged: Judged, reached: Reached): Promise<Verdict | undefined> {
  if (/^.*HOST IDENTIFICATION HAS CHANGED/m.test(judged.words))
    return {
      code: 'HOST_KEY_CHANGED',
      message: `Beware: the server of ${judged.upstream} shows another key than before.`,
    };
  if (/^.*Host key verification failed/m.test(judged.words))
    return { code: 'HOST_KEY_UNKNOWN', message: `The key of the server of ${judged.upstream} is not in known_hosts.` };
  const isDenied = /^.*(Permission denied \(|Too many authentication failures)/m.test(judged.words);
  return isDenied ? deniedVerdict(judged, reached) : undefined;
}

/** With a proxy of ssh's own in between, it may be that which fails. */
function wayOf({ facts }: SshCommand): string {
  const jump = facts.get('proxyjump') ?? 'none';
  if (jump !== 'none') return `, by way of ProxyJump ${jump}`;
  const command = facts.get('proxycommand') ?? 'none';
  return command === 'none' ? '' : ', by way of its ProxyCommand';
}

interface Reached {
  readonly ssh: SshCommand;
  readonly target: SshTransport;
}

/** The server showed a key: it was reached, and what failed after that is either the key or the login. */
async function keyVerdict(judged: Judged, p: Reached & { readonly shown: ShownKey }): Promise<Verdict> {
  const { ssh, shown } = p;
  // `no` takes any key, `accept-new` one that is new: then the login is what failed.
  const checking = ssh.facts.get('stricthostkeychecking') ?? '';
  const isTakenNew = ['no', 'off', 'false', 'accept-new'].includes(checking);
  const isTakenChanged = isTakenNew && checking !== 'accept-new';
  const known = await knownAs(ssh, shown, judged);
  const byHand = [programOf(ssh), ...sshArguments(p.target).map(shellWord)].join(' ');
  if (known.kind === 'none' && !isTakenNew) {
    return {
      code: 'HOST_KEY_UNKNOWN',
      message: `The server of ${judged.upstream} is not in known_hosts, so nobody knows whether it is the right one.`,
      hint: `Connect once by hand: \`${byHand}\`. Compare the fingerprint that it shows with the one that the server’s owner publishes; just now it was ${fingerprintOf(shown)} (${shown.type}).`,
    };
  }
  if (known.kind === 'other' && !isTakenChanged) {
    const place = known.line === '' ? known.file : `${known.file}:${known.line}`;
    return {
      code: 'HOST_KEY_CHANGED',
      message: `Beware: the server of ${judged.upstream} shows another key than the one in ${place}. Somebody may have put himself in between.`,
      hint: `Ask the server’s owner whether its key was changed, and for the fingerprint; just now it was ${fingerprintOf(shown)} (${shown.type}). Only if it is right: \`ssh-keygen -R ${shellWord(shown.name)} -f ${shellWord(known.file)}\`, then \`${byHand}\`.`,
    };
  }
  return deniedVerdict(judged, p);
}

/** Another program than ssh in front may have a password among its words. */
function programOf({ own }: SshCommand): string {
  return /^\s*\S*\bssh\s/.test(`${own} `) ? own : 'ssh';
}

async function deniedVerdict(judged: Judged, { ssh, target }: Reached): Promise<Verdict> {
  return {
    code: 'UPSTREAM_DENIED',
    message: `The server of ${judged.upstream} did not let ${target.destination} in.`,
    hint: `${await agentSentence(ssh, judged)} Offer the right one, so that \`git ls-remote ${judged.upstream}\` works without a prompt.`,
  };
}

/** Says what the agent has, by the exit codes of ssh-add(1): 0 keys, 1 none, 2 no agent. */
async function agentSentence({ facts }: SshCommand, { env, signal }: Judged): Promise<string> {
  const socket = facts.get('identityagent') ?? env['SSH_AUTH_SOCK'];
  if (socket === undefined || socket === 'none')
    return 'No key was accepted: neither a key file, nor one of an agent, as SSH_AUTH_SOCK is not set.';
  const limited = AbortSignal.any([signal, AbortSignal.timeout(AGENT_LIMIT_MS)]);
  try {
    const asked = { ...env, ...(socket === 'SSH_AUTH_SOCK' ? {} : { SSH_AUTH_SOCK: socket }) };
    const { exitCode } = await runProcess('ssh-add', ['-l'], { env: asked, signal: limited });
    if (exitCode === 0)
      return 'No key was accepted, neither of the agent nor of a key file (`ssh-add -l` lists those of the agent).';
    if (exitCode === 1) return 'No key file was accepted, and the agent has no keys (`ssh-add FILE` gives it one).';
  } catch (error) {
    signal.throwIfAborted();
    if ((error as Error).name !== 'TimeoutError') throw error;
  }
  return 'No key file was accepted, and the agent that SSH_AUTH_SOCK names does not answer.';
}

async function isThere(ssh: SshCommand, { env, signal }: Judged): Promise<boolean> {
  const look = await runProcess('sh', ['-c', 'command -v -- "$1"', 'sh', firstWord(ssh)], { env, signal });
  return look.exitCode === 0;
}

/** The program; among the words behind it may be a password. */
function firstWord({ own }: SshCommand): string {
  const [, quoted, plain] = /^\s*(?:"([^"]*)"|(\S*))/.exec(own) ?? [];
  return quoted ?? plain ?? own;
}
