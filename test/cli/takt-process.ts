import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';

/** Of bsdutils, which every Debian has. */
const SCRIPT = '/usr/bin/script';
const CLI = join(import.meta.dirname, '..', '..', 'src', 'bin', 'cli.ts');

export interface TaktResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface TaktOptions {
  readonly env?: Record<string, string>;
  readonly input?: string;
  readonly cwd?: string;
}

/** The command line of this checkout as a process of its own; nothing of the caller's takt reaches it. */
export function startTakt(
  words: readonly string[],
  { env = {}, cwd }: TaktOptions = {},
): ChildProcessWithoutNullStreams {
  const inherited = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/' };
  return spawn(process.execPath, [CLI, ...words], {
    env: { ...inherited, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
}

export async function takt(words: readonly string[], options: TaktOptions = {}): Promise<TaktResult> {
  const child = startTakt(words, options);
  child.stdin.end(options.input ?? '');
  return ending(child);
}

/** Runs takt in a pseudo-terminal of 100 columns and types `input`; what it prints to both streams comes together. */
export async function taktInTerminal(
  words: readonly string[],
  options: TaktOptions = {},
): Promise<{ code: number | null; screen: string }> {
  const command = ['stty cols 100;', process.execPath, CLI, ...words].join(' ');
  const inherited = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', TERM: 'xterm-256color' };
  // It gives its child a terminal, and with -e hands on the exit code.
  const child = spawn(SCRIPT, ['-qefc', command, '/dev/null'], { env: { ...inherited, ...options.env } });
  child.stdin.write(options.input ?? '');
  const { code, stdout } = await ending(child);
  return { code, screen: stdout.replaceAll('\r\n', '\n') };
}

export async function ending(child: ChildProcessWithoutNullStreams): Promise<TaktResult> {
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { code, stdout, stderr };
}
