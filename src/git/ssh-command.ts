import { basename } from 'node:path';
import { runProcess } from '../platform/run-process.ts';
import { gitResult, QUIET_SSH } from './git.ts';
import { shellWord } from './shell-word.ts';
import type { Transport } from './transport.ts';

export type SshTransport = Extract<Transport, { kind: 'ssh' }>;

/** Which ssh an upstream is reached with, and how. */
export interface SshCommand {
  /** The user's own words, for a shell: from GIT_SSH_COMMAND, `core.sshCommand`, GIT_SSH, or plain `ssh`. */
  readonly own: string;
  /** The same with takt's limits, for GIT_SSH_COMMAND. */
  readonly limited: string;
  /** For GIT_SSH_VARIANT. */
  readonly variant: string;
  /** What OpenSSH makes of its configuration for this host (`ssh -G`); empty for another program. */
  readonly facts: ReadonlyMap<string, string>;
}

/** ssh's own exit code for everything that is not the other side's doing (ssh(1)). */
export const SSH_FAILED = 255;

interface Asking {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Below what a caller is told that an upstream says nothing, so that ssh itself ends in good order. */
const CONNECT_LIMIT_S = 5;
/** A peer that is gone is noticed after so long, times so many. */
const ALIVE_INTERVAL_S = 5;
const ALIVE_COUNT = 3;
const FACTS_LIMIT_MS = 2_000;

/** The programs that git knows by their names (git-config(1), ssh.variant). */
const KNOWN_VARIANTS = ['ssh', 'plink', 'putty', 'tortoiseplink'];

/**
 * Finds out which ssh the user has git use, and adds limits that the user's own configuration does not set tighter:
 * connecting ends after some seconds, a dead peer is noticed, and where no person answers, nothing is asked. Only
 * OpenSSH, or what takes its options, gets them.
 */
export async function sshCommandFor(target: SshTransport, asking: Asking): Promise<SshCommand> {
  const { env } = asking;
  const own = await ownCommand(asking);
  const given = env['GIT_SSH_VARIANT'] ?? (await setting(asking, 'ssh.variant')) ?? 'auto';
  // takt's own fallback sets the variant as well; it says nothing about the user's program.
  const isTold = given !== 'auto' && !(given === 'ssh' && env['GIT_SSH_COMMAND'] === QUIET_SSH);
  const named = isTold ? given : variantOfName(own);
  const facts = named === undefined || named === 'ssh' ? await factsOf(own, target, asking) : new Map<string, string>();
  // As git finds out what a program of another name is: it understands -G, or takes no options at all.
  const variant = named ?? (facts.size > 0 ? 'ssh' : 'simple');
  const options = variant === 'ssh' ? limits(facts, env['GIT_TERMINAL_PROMPT'] === '0') : [];
  return { own, limited: [own, ...options].join(' '), variant, facts };
}

/** What follows the program to get to the host. */
export function sshArguments({ destination, port }: SshTransport): string[] {
  return [...(port === null ? [] : ['-p', port]), destination];
}

async function ownCommand(asking: Asking): Promise<string> {
  const { GIT_SSH_COMMAND: command, GIT_SSH: program } = asking.env;
  if (command !== undefined && command !== QUIET_SSH) return command;
  const configured = await setting(asking, 'core.sshCommand');
  return configured ?? (program === undefined ? 'ssh' : shellWord(program));
}

async function setting({ folder, env, signal }: Asking, key: string): Promise<string | undefined> {
  const result = await gitResult(folder, ['config', '--get', key], { env, signal });
  const value = result.stdout.toString('utf8').trimEnd();
  return result.exitCode === 0 && value !== '' ? value : undefined;
}

function variantOfName(command: string): string | undefined {
  const [, quoted, plain] = /^\s*(?:"([^"]*)"|(\S*))/.exec(command) ?? [];
  const name = basename(quoted ?? plain ?? '').replace(/\.exe$/i, '');
  return KNOWN_VARIANTS.find((variant) => variant === name.toLowerCase());
}

async function factsOf(own: string, target: SshTransport, { env, signal }: Asking): Promise<Map<string, string>> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(FACTS_LIMIT_MS)]);
  const facts = new Map<string, string>();
  try {
    const args = ['-c', `${own} -G "$@"`, 'ssh', ...sshArguments(target)];
    const result = await runProcess('sh', args, { env, signal: limited, hasOwnGroup: true });
    if (result.exitCode !== 0) return facts;
    for (const line of result.stdout.toString('utf8').split('\n')) {
      const [, key, value] = /^(\S+) (.*)$/.exec(line) ?? [];
      if (key !== undefined && !facts.has(key)) facts.set(key, value ?? '');
    }
    return facts.has('hostname') ? facts : new Map();
  } catch (error) {
    signal.throwIfAborted();
    // A configuration whose own commands take long (`Match exec`) is not waited for; ssh itself will.
    if ((error as Error).name === 'TimeoutError') return facts;
    throw error;
  }
}

/** ssh takes the first value that it is given, so what the user's own command says stays in force. */
function limits(facts: ReadonlyMap<string, string>, isQuiet: boolean): string[] {
  const options = isQuiet ? ['BatchMode=yes'] : [];
  const connectS = Number(facts.get('connecttimeout') ?? 'none');
  if (!(connectS > 0 && connectS <= CONNECT_LIMIT_S)) options.push(`ConnectTimeout=${CONNECT_LIMIT_S}`);
  const aliveS = Number(facts.get('serveraliveinterval') ?? 0);
  if (!(aliveS > 0)) options.push(`ServerAliveInterval=${ALIVE_INTERVAL_S}`, `ServerAliveCountMax=${ALIVE_COUNT}`);
  return options.map((option) => `-o ${option}`);
}
