import { spawn, type ChildProcess } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../contract/faults.ts';
import type { Walls, WallsExtra } from '../confinement/walls.ts';
import { startTicksOf } from '../platform/process-identity.ts';
import { endProcesses, untilGone } from './end-processes.ts';
import type { OutputWriter } from './output-writer.ts';
import { openWorkPipes, type WorkPipes } from './work-pipes.ts';

/** A command to run inside the walls, to its end. */
export interface InsideCommand {
  readonly walls: Walls;
  readonly command: readonly string[];
  readonly extra: Omit<WallsExtra, 'statusFd'>;
  readonly attempt: string;
  /** Spool folder, where `work.json` says which process has to be dead before the attempt is repeated. */
  readonly folder: string;
  readonly output: OutputWriter;
  /** See `AttemptDesk`. */
  readonly pipes: Promise<string>;
  readonly onStarted?: () => void;
  /** Takes standard output as it is, and says when it has all of it; without it, that goes to `output` as text. */
  readonly onStdout?: (stream: Readable) => Promise<unknown>;
  /** Aborting ends everything inside within two seconds; the result is returned none the less. */
  readonly signal: AbortSignal;
}

export interface InsideResult {
  /** As a shell gives it: 128 and the number of the signal, if one ended the command. */
  readonly exitCode: number;
  /** The last of what was printed. */
  readonly tail: string;
}

const TAIL_CHARS = 2_000;
const KILLED_EXIT_CODE = 137;
const TERMINATED_EXIT_CODE = 143;
/** How long pipes may stay open after the end, because a process that left the family holds them. */
const PIPES_LIMIT_MS = 1_000;
const STATUS_FD = 3;

/** Runs a command inside; when it returns, nothing that the command started is alive. */
export async function runInside(p: InsideCommand): Promise<InsideResult> {
  const isWalled = p.walls.used.filesystem === 'bubblewrap';
  const { command, args, env, cwd } = p.walls.wrap(p.command, isWalled ? { ...p.extra, statusFd: STATUS_FD } : p.extra);
  const folder = await p.pipes;
  if (p.signal.aborted) return { exitCode: TERMINATED_EXIT_CODE, tail: '' };
  const pipes = openWorkPipes(folder);
  const child = spawn(command, args, {
    env,
    cwd,
    stdio: ['ignore', ...pipes.childEnds, isWalled ? 'pipe' : 'ignore'],
    detached: true,
  });
  pipes.closeChildEnds();
  const exit = exitOf(child);
  const { tail, taken } = takeOutput(pipes, p);
  const status = isWalled ? statusOf(child) : undefined;
  if (child.pid !== undefined) recordWork(p.folder, child.pid);
  p.onStarted?.();

  let ending: Promise<void> | undefined;
  const end = (): void => {
    if (child.pid !== undefined) ending ??= endProcesses(child.pid, p.attempt, exit);
  };
  p.signal.addEventListener('abort', end, { once: true });
  const { exitCode, startError } = await exit;
  p.signal.removeEventListener('abort', end);
  await ending;

  await untilGone(p.attempt, status?.firstInside(), pipes.files);
  // A reader may be busy with what it read, such as a bundle; only then the pipes are in nobody's use.
  await Promise.race([taken, aborted(p.signal)]);
  await Promise.race([Promise.all([pipes.ended, status?.ended]), sleep(PIPES_LIMIT_MS)]);
  pipes.destroy();
  // Without a report the command itself did not start; unless all of it was killed, and could not report.
  if (
    startError !== undefined ||
    (status !== undefined && !status.hasReported() && ending === undefined && exitCode !== KILLED_EXIT_CODE)
  ) {
    throw new Fault(
      'CONFINEMENT_MISSING',
      `The command could not be started${isWalled ? ' inside its walls' : ''}: ${startError ?? tail().trim()}`,
    );
  }
  return { exitCode, tail: tail() };
}

function exitOf(child: ChildProcess): Promise<{ exitCode: number; startError: string | undefined }> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ exitCode: 127, startError: error.code ?? error.message }),
    );
    child.once('exit', (code, signal) => resolve({ exitCode: code ?? exitCodeOf(signal), startError: undefined }));
  });
}

const exitCodeOf = (signal: NodeJS.Signals | null): number =>
  signal === 'SIGTERM' ? TERMINATED_EXIT_CODE : KILLED_EXIT_CODE;

/** Copies what is printed into the log, letters whole, and keeps the last of it. */
function takeOutput(
  pipes: WorkPipes,
  { output, onStdout }: InsideCommand,
): { tail: () => string; taken: Promise<unknown> } {
  let tail = '';
  const copy = (stream: Readable, kind: 'stdout' | 'stderr'): void => {
    const decoder = new StringDecoder('utf8');
    const put = (text: string): void => {
      if (text === '') return;
      output.write({ kind, atMs: Date.now(), text });
      tail = (tail + text).slice(-TAIL_CHARS);
    };
    stream.on('data', (chunk: Buffer) => put(decoder.write(chunk)));
    stream.on('end', () => put(decoder.end()));
  };
  copy(pipes.stderr, 'stderr');
  if (onStdout === undefined) copy(pipes.stdout, 'stdout');
  return { tail: () => tail, taken: onStdout?.(pipes.stdout) ?? Promise.resolve() };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** What bubblewrap reports: JSON objects one after the other, such as `{ "child-pid": 12 }` and `{ "exit-code": 0 }`. */
function statusOf(child: ChildProcess): {
  firstInside(): number | undefined;
  hasReported(): boolean;
  readonly ended: Promise<unknown>;
} {
  let text = '';
  const stream = child.stdio[STATUS_FD] as Readable;
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return {
    firstInside: () => {
      const pid = /"child-pid":\s*(\d+)/.exec(text)?.[1];
      return pid === undefined ? undefined : Number(pid);
    },
    hasReported: () => text.includes('"exit-code"'),
    ended: new Promise((resolve) => stream.once('close', resolve)),
  };
}

/** Says durably enough which process carries the work: it matters only until the next start of the machine. */
export function recordWork(folder: string, pid: number): void {
  const startTicks = startTicksOf(pid);
  if (startTicks === undefined) return;
  const temporary = join(folder, `work.json.${process.pid}.tmp`);
  writeFileSync(temporary, JSON.stringify({ pid, startTicks }));
  renameSync(temporary, join(folder, 'work.json'));
}
