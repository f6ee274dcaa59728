import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault, type FaultCode } from '../contract/faults.ts';
import { gitFault, gitResult, quietEnvironment } from './git.ts';

interface FailedCall {
  readonly folder: string;
  readonly upstream: string;
  /** What git printed; shown, not judged. */
  readonly words: string;
  /** What is repeated to see how it fails; a listing of refs if left out. */
  readonly repeat?: readonly string[];
  readonly signal: AbortSignal;
  readonly env?: Readonly<Record<string, string>>;
}

type Verdict = { readonly code: FaultCode; readonly message: string; readonly hint?: string };

const CONNECT_LIMIT_MS = 10_000;

/**
 * Finds out why git could not talk to an upstream, and gives the fault for it.
 *
 * git ends with 128 for everything and gives the cause only in prose. So the call is repeated once with git's own
 * traces on, for the status that an HTTP server gave, or with ssh watched, for its exit code. For a path, the disk is
 * asked.
 */
export async function upstreamFault(call: FailedCall): Promise<Fault> {
  const { upstream } = call;
  const disk = await gitFault(call.folder, [], {
    exitCode: 128,
    signal: null,
    stdout: Buffer.alloc(0),
    stderr: call.words,
    startError: null,
    isOverLimit: false,
  });
  if (disk.code === 'DISK_FULL') return disk;
  const verdict = /^https?:\/\//i.test(upstream)
    ? await httpVerdict(call)
    : upstream.startsWith('/') || upstream.startsWith('file://')
      ? await diskVerdict(upstream)
      : /^(git|ftps?):\/\//i.test(upstream)
        ? await socketVerdict(upstream, call.signal)
        : await sshVerdict(call);
  return new Fault(verdict.code, verdict.message, {
    detail: call.words.trim(),
    ...(verdict.hint === undefined ? {} : { hint: verdict.hint }),
  });
}

async function httpVerdict(call: FailedCall): Promise<Verdict> {
  const trace = await repeatTraced(call, 'GIT_TRACE_CURL', { GIT_TRACE_CURL_NO_DATA: '1' });
  // The last status counts: before it come those of a proxy, of redirects and of the question for credentials.
  const status = Number([...trace.matchAll(/<= Recv header: HTTP\/[\d.]+ (\d{3})/g)].at(-1)?.[1] ?? 0);
  if (status === 401 || status === 403 || status === 407) {
    return { code: 'UPSTREAM_DENIED', message: `The upstream ${call.upstream} refused access (HTTP ${status}).` };
  }
  if (status === 404 || status === 410)
    return { code: 'UPSTREAM_MISSING', message: `There is no repository at ${call.upstream} (HTTP ${status}).` };
  if (status >= 200 && status < 300)
    return { code: 'UPSTREAM_MISSING', message: `What answers at ${call.upstream} is no git repository.` };
  const how = status === 0 ? 'gave no answer' : `answered with HTTP ${status}`;
  return { code: 'UPSTREAM_UNREACHABLE', message: `The upstream ${call.upstream} ${how}.` };
}

async function diskVerdict(upstream: string): Promise<Verdict> {
  const path = upstream.startsWith('file://') ? fileURLToPath(upstream) : upstream;
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

/**
 * ssh ends with 255 if it did not come through, and with the other side's code otherwise; git drops that code, so ssh
 * is wrapped to leave it. Why it did not come through ssh tells in prose only, which it does not translate; a phrase
 * that changes some day makes "denied" look "unreachable".
 */
async function sshVerdict(call: FailedCall): Promise<Verdict> {
  const env = call.env ?? quietEnvironment();
  const own = env['GIT_SSH_COMMAND'] ?? (env['GIT_SSH'] === undefined ? 'ssh' : '"$GIT_SSH"');
  const wrapped = `leave_code() { (${own} "$@"); code=$?; echo $code > "$TAKT_CODE_FILE"; exit $code; }; leave_code`;
  const code = await repeatTraced(call, 'TAKT_CODE_FILE', {
    GIT_SSH_VARIANT: 'ssh',
    ...pick(env, 'GIT_SSH_VARIANT'),
    GIT_SSH_COMMAND: wrapped,
  });
  if (code !== '' && Number(code) !== 255)
    return { code: 'UPSTREAM_MISSING', message: `The server of ${call.upstream} shows no such repository.` };
  if (/^.*(Permission denied \(|Host key verification failed|Too many authentication failures)/m.test(call.words)) {
    return { code: 'UPSTREAM_DENIED', message: `The server of ${call.upstream} did not let us in.` };
  }
  return { code: 'UPSTREAM_UNREACHABLE', message: `The upstream ${call.upstream} was not reached over ssh.` };
}

function pick(env: Readonly<Record<string, string>>, name: string): Record<string, string> {
  return env[name] === undefined ? {} : { [name]: env[name] };
}

/** A server of the git protocol closes without a code: whoever accepts the connection lacks the repository. */
async function socketVerdict(upstream: string, signal: AbortSignal): Promise<Verdict> {
  const { hostname, port } = new URL(upstream);
  const isOpen = await new Promise<boolean>((resolve) => {
    const socket = connect({
      host: hostname,
      port: Number(port === '' ? 9418 : port),
      signal,
      timeout: CONNECT_LIMIT_MS,
    });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket
      .once('connect', () => settle(true))
      .once('timeout', () => settle(false))
      .once('error', () => settle(false));
  });
  if (isOpen) return { code: 'UPSTREAM_MISSING', message: `The server of ${upstream} shows no such repository.` };
  return { code: 'UPSTREAM_UNREACHABLE', message: `The upstream ${upstream} was not reached.` };
}

async function repeatTraced(call: FailedCall, variable: string, more: Record<string, string>): Promise<string> {
  const traces = await mkdtemp(join(tmpdir(), 'takt-trace-'));
  try {
    const file = join(traces, 'trace');
    // A person was asked once already.
    const silent = { GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: '', SSH_ASKPASS: '' };
    const env = { ...(call.env ?? quietEnvironment()), ...silent, ...more, [variable]: file };
    await gitResult(call.folder, call.repeat ?? ['ls-remote', '--', call.upstream, 'HEAD'], {
      signal: call.signal,
      env,
    });
    return await readFile(file, 'utf8');
  } catch (error) {
    // Nothing was left: git did not get as far as to call anybody.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  } finally {
    await rm(traces, { recursive: true, force: true });
  }
}
