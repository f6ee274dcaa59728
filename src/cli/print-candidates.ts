import type { CommandTable } from '../grammar/command-table.ts';
import { complete } from '../grammar/complete.ts';
import { oneLine } from './clean-text.ts';
import { placeOf } from './place.ts';
import type { Terminal } from './terminal.ts';

const ABOUT_LIMIT = 80;

/**
 * Answers a shell's completion: the words after `takt`, the last of them half typed. Prints `value<TAB>description`
 * lines, and `:files` where the shell itself should offer files. Never says anything on standard error.
 */
export async function printCandidates(
  words: readonly string[],
  table: CommandTable,
  terminal: Terminal,
): Promise<number> {
  const { candidates, lookup } = complete(words, Math.max(0, words.length - 1), table);
  const lines = candidates.map(({ value, description }) => `${value}\t${oneLine(description, ABOUT_LIMIT)}`);
  if (lookup?.entity === 'file') {
    lines.push(':files');
  } else if (lookup !== null) {
    const { entityValues } = await import('./entity-values.ts');
    const found = await entityValues(lookup, placeOf(process.env, homeOf(words)), table);
    const isOpen = (value: string): boolean =>
      value.startsWith(lookup.prefix) && !lookup.taken.includes(value) && !/[\s\p{Cc}]/u.test(value);
    lines.push(
      ...found
        .filter(({ value }) => isOpen(value))
        .map(({ value, description }) => `${lookup.before}${value}\t${oneLine(description, ABOUT_LIMIT)}`),
    );
  }
  if (lines.length > 0) await terminal.write(`${lines.join('\n')}\n`);
  return 0;
}

function homeOf(words: readonly string[]): string | null {
  const at = words.indexOf('--home');
  return at === -1 || at >= words.length - 1 ? null : words[at + 1]!;
}
