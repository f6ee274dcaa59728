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
  /** Resolves when the stream can take more, so that a slow reader slows the writer. */
  write(text: string): Promise<void>;
  writeError(text: string): void;
  /** Asks for one line; undefined if the input ends. */
  ask(question: string, signal: AbortSignal): Promise<string | undefined>;
}

/**
 * The terminal of this process. A reader of standard output that goes away, as `head` does, ends the process quietly.
 */
export function processTerminal(environment: NodeJS.ProcessEnv): Terminal {
  const { stdin, stdout, stderr } = process;
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit();
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

async function writeTo(stream: NodeJS.WriteStream, text: string): Promise<void> {
  if (stream.write(text)) return;
  await new Promise<void>((resolve) => {
    stream.once('drain', resolve);
    // A reader that went away never drains the stream.
    stream.once('close', resolve);
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
