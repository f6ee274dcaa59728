import { existsSync } from 'node:fs';
import { lstat, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fault } from '../contract/faults.ts';
import type { ProcessResult } from '../platform/run-process.ts';
import { pause } from '../platform/wait.ts';
import { type Exchange, exchangesIn, hasGivenUpIn, hasSpokenIn, wordOf } from './contact-trace.ts';
import { type GitOptions, gitResult, quietEnvironment } from './git.ts';
import { type SshCommand, sshCommandFor } from './ssh-command.ts';
import { rewrittenAddress, type Transport, transportOf } from './transport.ts';

/** What was seen of a call that talked to an upstream. */
export interface Contact {
  readonly transport: Transport;
  /** Null unless it went over ssh. */
  readonly ssh: SshCommand | null;
  /** How ssh ended, which git itself does not tell; null if it did not end, or the call went another way. */
  readonly sshExitCode: number | null;
  /** Over HTTP: whether git got as far as to make a connection. */
  readonly wasCalled: boolean;
  /** Over HTTP, in order. */
  readonly exchanges: readonly Exchange[];
  /** The other side spoke the git protocol: it was reached, and let us in. Not looked at for a path. */
  readonly hasSpoken: boolean;
  /** It said that it cannot go on, in the midst of its answer. */
  readonly hasGivenUp: boolean;
  /** It was ended, since nothing came for too long. */
  readonly isSilent: boolean;
  readonly elapsedMs: number;
}

type Environment = Readonly<Record<string, string>>;
type Seen = Pick<Contact, 'sshExitCode' | 'wasCalled' | 'exchanges' | 'hasSpoken' | 'hasGivenUp'>;

/** Where the other side has said nothing after so long, it is not waited for any more. */
export const SILENCE_LIMIT_MS = 6_000;
const LOOK_EVERY_MS = 250;
/** HTTP transfers slower than a byte a second for so long are ended, unless the user has limits of their own. */
const LOW_SPEED_S = 30;
/** A fetch that tells of no progress for so long has lost its other side, whatever the connection says. */
const STALL_LIMIT_MS = 60_000;
/** A long list of refs makes a long trace; what is looked for stands at its ends. */
const TRACE_END_BYTES = 512 * 1024;

/**
 * Runs a git command that talks to an upstream, with the user's own means and within limits.
 *
 * git's exit code tells neither why it failed nor who refused, so the call is watched: by git's traces of HTTP headers
 * and of packets, and by the exit code of ssh. Where nobody is asked anything, an upstream has to speak within
 * `SILENCE_LIMIT_MS`; a call that it does not is ended, which is a result. Where a person may be typing a password,
 * that limit holds for HTTP while the first answer is awaited, and ssh has its own. Fault: INPUT_INVALID.
 */
export async function contactUpstream(
  folder: string,
  args: readonly string[],
  p: GitOptions & { readonly upstream: string; readonly isPush?: boolean },
): Promise<{ result: ProcessResult; contact: Contact }> {
  const startedAtMs = Date.now();
  const { upstream, isPush = false, env = quietEnvironment(), signal, ...options } = p;
  const transport = transportOf(await rewrittenAddress(folder, upstream, { isPush, env, signal }));
  // ssh would take it for an option, and options start programs. git refuses such a host as well.
  if (transport.kind === 'ssh' && transport.destination.startsWith('-'))
    throw new Fault('INPUT_INVALID', `${upstream} is no address of a repository.`);
  const ssh = transport.kind === 'ssh' ? await sshCommandFor(transport, { folder, env, signal }) : null;
  const limits = { ...sshLimits(ssh), ...(await httpLimits(folder, transport, { env, signal })) };
  await using watch = await openWatch(transport);
  using silence = watch.untilSilent(env['GIT_TERMINAL_PROMPT'] === '0');
  using stall = untilStalled(transport.kind !== 'disk' && args.includes('fetch'));
  let result: ProcessResult;
  try {
    const watched = { ...env, ...limits, ...watch.environment };
    result = await gitResult(folder, args, {
      ...options,
      env: watched,
      onStderr: (chunk) => {
        stall.touch();
        options.onStderr?.(chunk);
      },
      signal: AbortSignal.any([signal, silence.signal, stall.signal]),
    });
  } catch (error) {
    if (signal.aborted || ![silence.signal.reason, stall.signal.reason].includes(SAID_NOTHING)) throw error;
    result = ENDED;
  }
  const seen = result.exitCode === 0 ? NOTHING_SEEN : await watch.seen();
  const contact = {
    transport,
    ssh,
    ...seen,
    isSilent: silence.signal.reason === SAID_NOTHING,
    elapsedMs: Date.now() - startedAtMs,
  };
  return { result, contact };
}

/** git tells of its progress every second, also while the other side counts and packs. */
function untilStalled(isWatched: boolean): Disposable & { readonly signal: AbortSignal; touch(): void } {
  const stall = new AbortController();
  const timer = isWatched ? setTimeout(() => stall.abort(SAID_NOTHING), STALL_LIMIT_MS) : undefined;
  return {
    signal: stall.signal,
    touch: () => void timer?.refresh(),
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

const SAID_NOTHING = new Error('The other side said nothing.');
const NOTHING_SEEN: Seen = { sshExitCode: null, wasCalled: true, exchanges: [], hasSpoken: true, hasGivenUp: false };

const ENDED: ProcessResult = {
  exitCode: null,
  signal: 'SIGTERM',
  stdout: Buffer.alloc(0),
  stderr: '',
  startError: null,
  isOverLimit: false,
};

/** git drops ssh's exit code, so it is kept aside by the shell that starts ssh. */
function sshLimits(ssh: SshCommand | null): Environment {
  if (ssh === null) return {};
  const { limited, variant } = ssh;
  const keeping = `leave_code() { (${limited} "$@"); code=$?; echo $code > "$TAKT_CODE_FILE"; exit $code; }; leave_code`;
  return { GIT_SSH_COMMAND: keeping, GIT_SSH_VARIANT: variant };
}

async function httpLimits(
  folder: string,
  transport: Transport,
  { env, signal }: { env: Environment; signal: AbortSignal },
): Promise<Environment> {
  if (transport.kind !== 'http') return {};
  if (env['GIT_HTTP_LOW_SPEED_LIMIT'] !== undefined || env['GIT_HTTP_LOW_SPEED_TIME'] !== undefined) return {};
  for (const key of ['http.lowSpeedLimit', 'http.lowSpeedTime']) {
    const found = await gitResult(folder, ['config', '--get-urlmatch', key, transport.url], { env, signal });
    if (found.exitCode === 0) return {};
  }
  return { GIT_HTTP_LOW_SPEED_LIMIT: '1', GIT_HTTP_LOW_SPEED_TIME: String(LOW_SPEED_S) };
}

interface Watch extends AsyncDisposable {
  readonly environment: Environment;
  /** A signal that ends when the other side has said nothing for too long; disposing it stops the looking. */
  untilSilent(isQuiet: boolean): Disposable & { readonly signal: AbortSignal };
  seen(): Promise<Seen>;
}

/** Removes what processes left that were killed amid a call; what they traced may hold headers that are secret. */
export async function clearDeadWatches(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(/^takt-contact-(\d+)-/.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(pid) || existsSync(`/proc/${pid}`)) continue;
    const folder = join(tmpdir(), name);
    const owner = await ownerOf(folder);
    if (owner === process.getuid?.()) await rm(folder, { recursive: true, force: true });
  }
}

/** Undefined if another service, of another home, has removed it meanwhile. */
async function ownerOf(folder: string): Promise<number | undefined> {
  try {
    return (await lstat(folder)).uid;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** What is traced may hold an address with its password: it lies where only this user reads, and goes at once. */
async function openWatch({ kind }: Transport): Promise<Watch> {
  const folder = await mkdtemp(join(tmpdir(), `takt-contact-${process.pid}-`));
  const trace = join(folder, 'trace');
  const codeFile = join(folder, 'code');
  return {
    // A repository on this disk is read by processes of ours, and its hooks would find these variables.
    environment:
      kind === 'disk'
        ? {}
        : {
            GIT_TRACE_CURL: trace,
            GIT_TRACE_CURL_NO_DATA: '1',
            GIT_TRACE_PACKET: trace,
            TAKT_CODE_FILE: codeFile,
          },
    untilSilent(isQuiet) {
      const silence = new AbortController();
      const over = new AbortController();
      // A path needs no limit, and ssh may be asking a person at any time.
      if (kind !== 'disk' && (isQuiet || kind === 'http'))
        void endWhenSilent(trace, isQuiet, { silence, over: over.signal });
      return { signal: silence.signal, [Symbol.dispose]: () => over.abort() };
    },
    async seen() {
      const [text, code] = [await endsOf(trace), (await endsOf(codeFile)).trim()];
      return {
        sshExitCode: code === '' ? null : Number(code),
        wasCalled: text !== '',
        exchanges: exchangesIn(text),
        hasSpoken: hasSpokenIn(text),
        hasGivenUp: hasGivenUpIn(text),
      };
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Aborts `silence` once a word was owed for `SILENCE_LIMIT_MS` on end; done when one came, or the call is over. */
async function endWhenSilent(
  trace: string,
  isQuiet: boolean,
  { silence, over }: { silence: AbortController; over: AbortSignal },
): Promise<void> {
  let sinceMs = Date.now();
  try {
    while (Date.now() - sinceMs < SILENCE_LIMIT_MS) {
      await pause(LOOK_EVERY_MS, over);
      const word = wordOf(await endsOf(trace), { isQuiet });
      if (word === 'given') return;
      if (word === 'not asked') sinceMs = Date.now();
    }
    silence.abort(SAID_NOTHING);
  } catch (error) {
    // The end of the call ends the looking, whatever it was at; a look that fails ends the call.
    if (!over.aborted) silence.abort(error);
  }
}

/** A file's beginning and end; empty if it is not there. */
async function endsOf(path: string): Promise<string> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    if (size <= 2 * TRACE_END_BYTES) return await file.readFile('utf8');
    const buffer = Buffer.alloc(2 * TRACE_END_BYTES);
    await file.read(buffer, 0, TRACE_END_BYTES, 0);
    await file.read(buffer, TRACE_END_BYTES, TRACE_END_BYTES, size - TRACE_END_BYTES);
    return buffer.toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
