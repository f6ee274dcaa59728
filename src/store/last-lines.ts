import { OutputLine } from '../contract/output.ts';
import type { Database } from './database.ts';
import { readOutput, storedBytes } from './output.ts';

const TAIL_BYTES = 64 * 1024;
const LINE_CHARS = 2_000;

/** The last lines of what an attempt printed, oldest first, as a person would read them. */
export function lastLines(database: Database, attempt: string, count: number): string[] {
  const from = Math.max(0, storedBytes(database, attempt) - TAIL_BYTES);
  const text = readOutput(database, attempt, from, TAIL_BYTES).toString('utf8');
  const records = text.split('\n');
  // The first record is cut where the tail begins, the last one where a host was killed.
  if (from > 0) records.shift();
  return joinChunks(records.flatMap(wordsOf))
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .slice(-count)
    .map((line) => line.slice(0, LINE_CHARS));
}

interface Words {
  readonly kind: OutputLine['kind'];
  readonly text: string;
}

function wordsOf(record: string): Words[] {
  let value: unknown;
  try {
    value = JSON.parse(record);
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
  const parsed = OutputLine.safeParse(value);
  if (!parsed.success) return [];
  const line = parsed.data;
  switch (line.kind) {
    case 'stdout':
    case 'stderr':
    case 'note':
    case 'text':
      return [{ kind: line.kind, text: line.text }];
    case 'tool_call':
      return [{ kind: line.kind, text: `${line.tool} ${JSON.stringify(line.input)}` }];
    case 'tool_result':
      return line.isError ? [{ kind: line.kind, text: line.text }] : [];
    case 'thinking':
      return [];
  }
}

/** A chunk goes on where the one before it ended only if both are of one stream. */
function joinChunks(chunks: readonly Words[]): string {
  let text = '';
  let previous: Words['kind'] | undefined;
  for (const chunk of chunks) {
    const goesOn = chunk.kind === previous && (chunk.kind === 'stdout' || chunk.kind === 'stderr');
    if (!goesOn && text !== '' && !text.endsWith('\n')) text += '\n';
    text += chunk.text;
    previous = chunk.kind;
  }
  return text;
}
