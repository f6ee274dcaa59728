import { Fault } from '../contract/faults.ts';
import { styleFor, type Style } from './styles.ts';

/** What printing needs to know of where it goes. */
export interface Page {
  /** Columns, or null if the text is not for a terminal and must not be cut. */
  readonly width: number | null;
  readonly style: Style;
  readonly nowMs: number;
}

/** The three standard streams as a command uses them. */
export interface Terminal {
  /** For standard output. */
  readonly page: Page;
  /** For standard error. */
  readonly errorPage: Page;
  /** True if a person can be asked: standard input and standard error are a terminal. */
  readonly canAsk: boolean;
  /**
   * Resolves when the stream has taken the text, so that a slow reader slows the writer. Fault DISK_FULL if a file that
   * it leads to has no room.
   */
  write(text: string): Promise<void>;
  writeError(text: string): void;
  /** Asks for one line; undefined if the input ends. */
  ask(question: string, signal: AbortSignal): Promise<string | undefined>;
}

/** No room on the disk, for this user, or below the limit on a file's size. */
const NO_ROOM = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/**
 * The terminal of this process. A reader of standard output that goes away, as `head` does, ends the process quietly.
 */
export function processTerminal(environment: NodeJS.ProcessEnv): Terminal {
  const { stdin, stdout, stderr } = process;
  for (const stream of [stdout, stderr]) {
    // Whoever writes to standard output is told as well; of standard error there is nobody left to tell.
    stream.on('error', (error) => {
      if (isUnread(error)) process.exit();
    });
  }
  const pageOf = (stream: NodeJS.WriteStream): Page => ({
    width: stream.isTTY ? stream.columns : null,
    style: styleFor(stream.isTTY && isColourWanted(environment)),
    nowMs: Date.now(),
  });
  return {
    page: pageOf(stdout),
    errorPage: pageOf(stderr),
    canAsk: stdin.isTTY && stderr.isTTY,
    write: (text) => writeTo(stdout, text),
    writeError: (text) => void stderr.write(text),
    ask,
  };
}

/** NO_COLOR as no-color.org has it: set and not empty. */
function isColourWanted(environment: NodeJS.ProcessEnv): boolean {
  return (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
}

function writeTo(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // A reader that went away is an error of the stream as well, which ends the process.
    if (stream.destroyed) resolve();
    else
      stream.write(text, (error) =>
        error === null || error === undefined || isUnread(error) ? resolve() : reject(faultOfWriting(error)),
      );
  });
}

/** The reader is gone, or the terminal. */
function isUnread({ code = '' }: NodeJS.ErrnoException): boolean {
  return code === 'EPIPE' || code === 'EIO';
}

function faultOfWriting(error: NodeJS.ErrnoException): Error {
  if (!NO_ROOM.includes(error.code ?? '')) return error;
  return new Fault('DISK_FULL', `What takt prints has no room where standard output leads to (${error.code}).`, {
    hint: 'Free space there, or print elsewhere.',
    cause: error,
  });
}

async function ask(question: string, signal: AbortSignal): Promise<string | undefined> {
  const { createInterface } = await import('node:readline');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await new Promise((resolve, reject) => {
      // The interface takes Ctrl-C for itself, while the terminal is in raw mode.
      lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
      lines.on('close', () => resolve(undefined));
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      lines.question(question, resolve);
    });
  } finally {
    lines.close();
  }
}
