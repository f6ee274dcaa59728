import { open } from 'node:fs/promises';
import { cleanText } from '../cli/clean-text.ts';
import type { LocalCall } from '../cli/local-call.ts';
import { requireHome } from '../cli/start-service.ts';
import type { Style } from '../cli/styles.ts';
import { readTextIfThere } from '../platform/files.ts';
import { watchUntil } from '../platform/wait.ts';

const TAIL_BYTES = 4 * 1024 * 1024;
const LOOK_EVERY_MS = 1_000;

/** Prints the last lines of the service's log, and with --follow what comes; the raw lines with --json. */
export async function serviceLogs({ params, flags, place, terminal, signal }: LocalCall): Promise<number> {
  const { layout } = place;
  await requireHome(layout);
  const format = (line: string): string => (flags.json ? `${line}\n` : readable(line, terminal.page.style));
  let { text, end } = await readFrom(layout.serviceLog, -TAIL_BYTES);
  const count = typeof params['lines'] === 'number' ? params['lines'] : 200;
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .slice(-count);
  await terminal.write(lines.map(format).join(''));
  // What a start that failed wrote is not in the log.
  const start = (await readTextIfThere(layout.serviceStartLog))?.trimEnd() ?? '';
  if (start !== '' && !flags.json)
    await terminal.write(`\n${terminal.page.style.dim('what the last start printed')}\n${cleanText(start)}\n`);
  if (lines.length === 0 && start === '') terminal.writeError('The log is empty.\n');
  while (params['follow'] === true) {
    ({ text, end } = await watchUntil(layout.state, () => grown(layout.serviceLog, end), {
      signal,
      everyMs: LOOK_EVERY_MS,
    }));
    await terminal.write(
      text
        .split('\n')
        .filter((line) => line !== '')
        .map(format)
        .join(''),
    );
  }
  return 0;
}

/** Whole lines after a place, or undefined if there are none; a log that became shorter was begun anew. */
async function grown(path: string, from: number): Promise<{ text: string; end: number } | undefined> {
  const read = await readFrom(path, from);
  return read.text === '' ? undefined : read;
}

/** Whole lines from a byte on, a negative one counted from the end; `end` is where the next ones begin. */
async function readFrom(path: string, from: number): Promise<{ text: string; end: number }> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { text: '', end: 0 };
    throw error;
  }
  try {
    const { size } = await file.stat();
    const start = from < 0 ? Math.max(0, size + from) : from > size ? 0 : from;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    const whole = buffer.subarray(0, bytesRead).lastIndexOf('\n') + 1;
    return { text: buffer.subarray(0, whole).toString('utf8'), end: start + whole };
  } finally {
    await file.close();
  }
}

/** pino's levels (getpino.io) from the least grave on. */
const levels: readonly [limit: number, name: string, paint: (style: Style) => (text: string) => string][] = [
  [20, 'debug', (style) => style.dim],
  [30, 'info ', (style) => style.dim],
  [40, 'warn ', (style) => style.yellow],
  [Infinity, 'error', (style) => style.red],
];

/** A line of JSON as `time level message key=value…`; any other line as it is. */
function readable(line: string, style: Style): string {
  const entry = objectIn(line);
  if (entry === undefined) return `${cleanText(line)}\n`;
  const { level, time, msg, pid: _pid, hostname: _hostname, err, ...rest } = entry;
  const [, name, paint] = levels.find(([limit]) => Number(level) <= limit) ?? levels[1]!;
  const atMs = typeof time === 'number' ? time : Date.parse(String(time));
  const when = Number.isNaN(atMs) ? '' : `${new Date(atMs).toISOString().replace('T', ' ').slice(0, 19)} `;
  const facts = Object.entries(rest).map(
    ([key, value]) => ` ${style.dim(`${key}=`)}${cleanText(typeof value === 'string' ? value : JSON.stringify(value))}`,
  );
  const stack = (err as { stack?: string } | undefined)?.stack;
  const words = cleanText(typeof msg === 'string' ? msg : '');
  const trace = stack === undefined ? '' : `${cleanText(stack)}\n`;
  return `${style.dim(when)}${paint(style)(name)} ${words}${facts.join('')}\n${trace}`;
}

function objectIn(line: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(line) as unknown;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
