import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { SDKMessage, SDKResultMessage, SpawnOptions } from '@anthropic-ai/claude-agent-sdk';
import { sessionOptions, type SessionPlan } from './session-options.ts';

/** How a command is started: behind walls, or as it is. Fits what the confinement gives. */
export type WrapCommand = (
  command: readonly string[],
  extra: { env: Record<string, string>; cwd: string; readable: string[] },
) => { command: string; args: string[]; env: Record<string, string>; cwd: string };

/** What a session needs beside its plan to be alive. */
export interface SessionLife {
  readonly wrap: WrapCommand;
  /**
   * A file with `NAME=placeholder`, readable for the work. It comes by a file because command lines can be read by all
   * users.
   */
  readonly keyFile: string;
  /** Ends the process and all that it started; called at most once. */
  readonly endProcess: (pid: number, exited: Promise<unknown>) => Promise<void>;
  /** Called after the end of the process: resolves when nothing that it left behind is alive. */
  readonly untilGone: () => Promise<void>;
  /** Ends the session and everything that it started. */
  readonly signal: AbortSignal;
  readonly onStarted: (pid: number) => void;
  readonly onMessage: (message: SDKMessage) => void;
}

/** How a session ended. */
export interface SessionEnd {
  /** The last result; there is none if the process was ended or broke. Errors of the model are results. */
  readonly result: SDKResultMessage | undefined;
  /** Set if the session was ended because the model's service refused the credential. */
  readonly refusal: string | undefined;
  /** True if Claude Code got as far as to begin a turn. */
  readonly isBegun: boolean;
  readonly exitCode: number | null;
  readonly exitSignal: NodeJS.Signals | null;
  /** The last that the process said on standard error. */
  readonly stderr: string;
  /**
   * What the SDK threw. It throws after results that are errors, too, so this only explains where there is no result.
   */
  readonly thrown: Error | undefined;
}

const STDERR_LIMIT_CHARS = 16 * 1024;

/** Trying again does not help against these, but Claude Code does for a minute and more. */
const REFUSALS: readonly string[] = [
  'authentication_failed',
  'oauth_org_not_allowed',
  'account_on_hold',
  'verification_required',
  'billing_error',
];

/** Sets the placeholder and becomes the command; `$1` is the key file. */
const WITH_KEY = ['/bin/sh', '-c', 'set -a; . "$1"; set +a; shift; exec "$@"', 'sh'];

/**
 * Carries out one session of Claude Code, from its start to the end of its process. Resolves also if it fails or is
 * ended; when it has resolved nothing of it is alive. Rejects only if its process could not be started at all.
 */
export async function runSession(plan: SessionPlan, life: SessionLife): Promise<SessionEnd> {
  // Loaded here: it is large, and only hosts of agent steps need it.
  const { query } = await import('@anthropic-ai/claude-agent-sdk');
  life.signal.throwIfAborted();
  const abort = new AbortController();
  let running: RunningSession | undefined;
  const stop = (): void => {
    running?.end();
    abort.abort();
  };
  life.signal.addEventListener('abort', stop, { once: true });
  let result: SDKResultMessage | undefined;
  let refusal: string | undefined;
  let isBegun = false;
  let thrown: Error | undefined;
  try {
    const options = sessionOptions(plan, (asked) => (running = startProcess(asked, plan, life)).child, abort);
    for await (const message of query({ prompt: plan.prompt.user, options })) {
      life.onMessage(message);
      if (message.type === 'system' && message.subtype === 'init') isBegun = true;
      if (message.type === 'result') result = message;
      refusal ??= refusalIn(message);
      if (refusal !== undefined) stop();
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    thrown = error;
  } finally {
    life.signal.removeEventListener('abort', stop);
  }
  const end = await running?.ended;
  if (end === undefined) throw thrown ?? new Error('Claude Code was not started.');
  if (end.startError !== undefined) throw end.startError;
  return { result, refusal, isBegun, thrown, ...end };
}

function refusalIn(message: SDKMessage): string | undefined {
  if (message.type !== 'system' || message.subtype !== 'api_retry') return undefined;
  return REFUSALS.includes(message.error) ? message.error : undefined;
}

interface ProcessEnd {
  readonly exitCode: number | null;
  readonly exitSignal: NodeJS.Signals | null;
  readonly stderr: string;
  readonly startError: Error | undefined;
}

interface RunningSession {
  readonly child: ChildProcess & {
    stdin: NonNullable<ChildProcess['stdin']>;
    stdout: NonNullable<ChildProcess['stdout']>;
  };
  /** Resolves when the process and all that it left behind is gone. */
  readonly ended: Promise<ProcessEnd>;
  end(): void;
}

function startProcess(asked: SpawnOptions, plan: SessionPlan, life: SessionLife): RunningSession {
  life.signal.throwIfAborted();
  const env = Object.fromEntries(
    Object.entries(asked.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const walled = life.wrap([...WITH_KEY, life.keyFile, asked.command, ...asked.args], {
    env,
    cwd: plan.runFolder,
    readable: [plan.executable, plan.trustedFolder, life.keyFile],
  });
  const child = spawn(walled.command, walled.args, {
    cwd: walled.cwd,
    env: walled.env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  if (child.pid !== undefined) life.onStarted(child.pid);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_LIMIT_CHARS);
  });
  let startError: Error | undefined;
  child.on('error', (error) => {
    startError = error;
  });
  let ending: Promise<void> | undefined;
  const exited = child.pid === undefined ? Promise.resolve() : once(child, 'exit');
  const ended = (async (): Promise<ProcessEnd> => {
    await exited;
    await ending;
    await life.untilGone();
    return { exitCode: child.exitCode, exitSignal: child.signalCode, stderr, startError };
  })();
  return {
    child,
    ended,
    end() {
      if (child.pid !== undefined) ending ??= life.endProcess(child.pid, exited);
    },
  };
}
