import { readFile } from 'node:fs/promises';
import { Fault } from '../contract/faults.ts';
import type { Command } from '../grammar/command-table.ts';
import type { Params } from '../grammar/parse-line.ts';

/**
 * Replaces `file` by the text that it holds, as `yaml` or `text`, whichever the operation takes; `-` is standard input.
 * The name goes along with `yaml`, of which a fault names the place.
 */
export async function withFileText(params: Params, command: Command, signal: AbortSignal): Promise<Params> {
  const { file, ...rest } = params;
  if (typeof file !== 'string') return params;
  const param = command.options.some((option) => option.param === 'yaml') ? 'yaml' : 'text';
  if (rest[param] !== undefined)
    throw new Fault('INPUT_INVALID', `--file and --${param} are two sources of one text; name one.`);
  const text = file === '-' ? await standardInput(signal) : await textOf(file, signal);
  return { ...rest, [param]: text, ...(param === 'yaml' ? { file } : {}) };
}

async function textOf(file: string, signal: AbortSignal): Promise<string> {
  try {
    return await readFile(file, { encoding: 'utf8', signal });
  } catch (error) {
    signal.throwIfAborted();
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    const reasons: Record<string, string> = {
      ENOENT: 'does not exist',
      EISDIR: 'is a folder',
      EACCES: 'may not be read',
    };
    throw new Fault('INPUT_INVALID', `${file} ${reasons[code] ?? `cannot be read (${code})`}.`, {
      hint: 'Name a text file, or - for standard input.',
      cause: error,
    });
  }
}

async function standardInput(signal: AbortSignal): Promise<string> {
  const stop = (): void => void process.stdin.destroy(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk as string;
  signal.removeEventListener('abort', stop);
  return text;
}
