import { Fault } from '../contract/faults.ts';
import { nearestWord } from '../contract/nearest-word.ts';
import type { Command, CommandTable } from './command-table.ts';

/** Commands that a user can type: those with words. */
export function typedCommands(table: CommandTable): Command[] {
  return table.commands.filter(({ words }) => words.length > 0);
}

/** Commands whose words begin with these. */
export function commandsBelow(words: readonly string[], table: CommandTable): Command[] {
  return typedCommands(table).filter((command) => words.every((word, at) => command.words[at] === word));
}

/** The command that a line's words begin with; else COMMAND_UNKNOWN or INPUT_INVALID with what was probably meant. */
export function findCommand(words: readonly string[], table: CommandTable): Command {
  let depth = 0;
  for (; depth <= words.length; depth += 1) {
    const below = commandsBelow(words.slice(0, depth), table);
    const exact = below.find((command) => command.words.length === depth);
    if (exact !== undefined) return exact;
    if (below.length === 0) break;
  }
  if (depth > words.length) throw incomplete(words, table);
  throw unknown(words.slice(0, depth), table);
}

function incomplete(words: readonly string[], table: CommandTable): Fault {
  const line = words.join(' ');
  const next = nextWords(words, table);
  return new Fault('INPUT_INVALID', `\`takt ${line}\` needs one more word: ${next.join(', ')}.`, {
    hint: `\`takt help ${line}\` says what each does.`,
  });
}

/** All words but the last lead somewhere. */
function unknown(words: readonly string[], table: CommandTable): Fault {
  const typed = words.at(-1)!;
  const before = words.slice(0, -1);
  const nearest = nearestWord(typed, [...nextWords(before, table), ...(before.length === 0 ? ['help'] : [])]);
  const elsewhere = typedCommands(table).filter(
    (command) => command.words.length > 1 && command.words.at(-1) === typed,
  );
  const candidates = nearest === undefined ? elsewhere.map((command) => command.words) : [[...before, nearest]];
  const meant = candidates
    .slice(0, 3)
    .map((found) => `\`takt ${found.join(' ')}\``)
    .join(' or ');
  const hint =
    before.length === 0 ? '`takt help` lists the commands.' : `\`takt help ${before.join(' ')}\` lists what there is.`;
  return new Fault(
    'COMMAND_UNKNOWN',
    `There is no command \`takt ${words.join(' ')}\`.${meant === '' ? '' : ` Did you mean ${meant}?`}`,
    { hint },
  );
}

/** The words that may follow, each once, in the order of the table. */
export function nextWords(words: readonly string[], table: CommandTable): string[] {
  return [
    ...new Set(commandsBelow(words, table).flatMap((command) => command.words.slice(words.length, words.length + 1))),
  ];
}
