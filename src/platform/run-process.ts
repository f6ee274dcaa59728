import { type ChildProcess, spawn } from 'node:child_process';

export interface ProcessOptions {
  readonly cwd?: string;
  /** The whole environment of the process; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Aborting sends SIGTERM, and SIGKILL two seconds later. */
  readonly signal: AbortSignal;
  /**
   * Gives it a process group of its own, and ends all of that: for a program whose children outlive it, as those of git
   * do. Such a group cannot read from the terminal.
   */
  readonly hasOwnGroup?: boolean;
  /** More output than this ends the process. */
  readonly outputLimitBytes?: number;
  /** Called with each chunk of standard error as it comes, for progress. */
  readonly onStderr?: (chunk: string) => void;
}

export interface ProcessResult {
  /** Null if a signal ended it or it could not be started. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** `ENOENT` and the like, if the process did not start. */
  readonly startError: string | null;
  readonly isOverLimit: boolean;
}

const KILL_AFTER_MS = 2_000;
const DEFAULT_OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024;
/** How long pipes may stay open after the end with nothing in them, since something that left the family holds them. */
const PIPES_LIMIT_MS = 1_000;
const STDERR_LIMIT_CHARS = 256 * 1024;

/**
 * Runs a program to its end and returns what it said; a program that fails is a result, not an error.
 * Only an aborted signal rejects, with the signal's reason.
 */
export async function runProcess(
  command: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<ProcessResult> {
  options.signal.throwIfAborted();
  const result = await start(command, args, options);
  options.signal.throwIfAborted();
  return result;
}

function start(command: string, args: readonly string[], options: ProcessOptions): Promise<ProcessResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: options.env,
      detached: options.hasOwnGroup === true,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    const limit = options.outputLimitBytes ?? DEFAULT_OUTPUT_LIMIT_BYTES;
    const chunks: Buffer[] = [];
    let bytes = 0;
    let stderr = '';
    let startError: string | null = null;
    let killTimer: NodeJS.Timeout | undefined;

    const kill = (signal: NodeJS.Signals): void => {
      if (options.hasOwnGroup === true && child.pid !== undefined) killGroup(child.pid, signal);
      else child.kill(signal);
    };
    const end = (): void => {
      kill('SIGTERM');
      killTimer ??= setTimeout(() => kill('SIGKILL'), KILL_AFTER_MS);
    };
    options.signal.addEventListener('abort', end, { once: true });
    closePipesAfterEnd(child);
    child.stdout?.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limit) end();
      else chunks.push(chunk);
    });
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      if (stderr.length < STDERR_LIMIT_CHARS) stderr += chunk;
      options.onStderr?.(chunk);
    });
    // A program that ends without reading its input breaks the pipe; its exit code says what that meant.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input);
    child.on('error', (error: NodeJS.ErrnoException) => {
      startError = error.code ?? error.message;
    });
    child.on('close', (exitCode, signal) => {
      clearTimeout(killTimer);
      options.signal.removeEventListener('abort', end);
      resolve({
        exitCode: startError === null ? exitCode : null,
        signal,
        stdout: Buffer.concat(chunks),
        stderr,
        startError,
        isOverLimit: bytes > limit,
      });
    });
  });
}

/** What left the family of a process that has ended may hold its pipes open for ever. */
function closePipesAfterEnd(child: ChildProcess): void {
  let timer: NodeJS.Timeout | undefined;
  const pipes = [child.stdout, child.stderr];
  for (const pipe of pipes) pipe?.on('data', () => timer?.refresh());
  child.on('exit', () => {
    timer = setTimeout(() => pipes.forEach((pipe) => pipe?.destroy()), PIPES_LIMIT_MS);
  });
  child.on('close', () => clearTimeout(timer));
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // The whole group is gone already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
