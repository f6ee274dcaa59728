import type { Entity } from '../contract/operation.ts';
import type { Command, CommandTable, Parameter } from './command-table.ts';
import { commandsBelow, nextWords } from './find-command.ts';
import { hasForm, isOption } from './parse-line.ts';
import { globalOptions } from './usage.ts';

export interface Candidate {
  /** The whole word that would stand at the cursor. */
  readonly value: string;
  readonly description: string;
}

/** Values that only the service knows. */
export interface Lookup {
  readonly entity: Entity;
  /** Put before each value, such as `--repo=`. */
  readonly before: string;
  /** What was typed of the value. */
  readonly prefix: string;
  /** Values on the line that name something, by entity: the steps of which run, say. */
  readonly known: Readonly<Partial<Record<Entity, string>>>;
  /** Values that the list holds already. */
  readonly taken: readonly string[];
  /** The command, whose own words may be values besides. */
  readonly command: string;
}

export interface Completion {
  readonly candidates: readonly Candidate[];
  readonly lookup: Lookup | null;
}

/**
 * What may stand at word `at` of the words after `takt`; the word there may be half typed or missing.
 * Pure and synchronous: what has to be asked for comes back as a lookup.
 */
export function complete(words: readonly string[], at: number, table: CommandTable): Completion {
  const line = words.slice(0, at);
  const typed = words[at] ?? '';
  const asked = line.filter((word) => !word.startsWith('-'));
  if (asked[0] === 'help') return { candidates: wordsAfter(asked.slice(1), typed, table), lookup: null };
  const command = table.commands.find(
    (one) => one.words.length > 0 && one.words.every((word, index) => asked[index] === word),
  );
  if (command === undefined)
    return {
      candidates: [...wordsAfter(asked, typed, table), ...helpWord(asked, typed), ...options(line, typed, undefined)],
      lookup: null,
    };
  return completeAfter(command, line, typed);
}

function wordsAfter(before: readonly string[], typed: string, table: CommandTable): Candidate[] {
  return nextWords(before, table)
    .filter((word) => word.startsWith(typed))
    .map((value) => {
      const below = commandsBelow([...before, value], table);
      const exact = below.find(({ words }) => words.length === before.length + 1);
      return { value, description: exact?.summary ?? below.map(({ words }) => words[before.length + 1]).join(', ') };
    });
}

function helpWord(before: readonly string[], typed: string): Candidate[] {
  return before.length === 0 && 'help'.startsWith(typed)
    ? [{ value: 'help', description: 'Shows what a command takes.' }]
    : [];
}

function completeAfter(command: Command, line: readonly string[], typed: string): Completion {
  const read = readLine(command, line);
  if (read.open !== undefined) return values(read.open, typed, '', read, command);
  const inline = /^(--?[a-z-]+)=(.*)$/s.exec(typed);
  if (inline !== null && !read.isEnded) {
    const [, form = '', text = ''] = inline;
    const option = parameterOf(form, command);
    return option === undefined ? { candidates: [], lookup: null } : values(option, text, `${form}=`, read, command);
  }
  const flags = read.isEnded ? [] : options(line, typed, command);
  const position = Math.min(read.values.length, command.positionals.length - 1);
  const next = command.positionals[position];
  const isFull = next === undefined || (read.values.length > position && next.kind !== 'list');
  if (isFull || (typed.startsWith('-') && !read.isEnded)) return { candidates: flags, lookup: null };
  const found = values(next, typed, '', read, command);
  // Options are offered beside values only where nothing else is to be said.
  return {
    candidates: found.candidates.length > 0 || found.lookup !== null ? found.candidates : flags,
    lookup: found.lookup,
  };
}

interface ReadLine {
  /** An option at the end of the line that waits for its value. */
  readonly open: Parameter | undefined;
  /** Values by position, the command's words left out. */
  readonly values: readonly string[];
  /** True after `--`. */
  readonly isEnded: boolean;
  readonly known: Partial<Record<Entity, string>>;
}

const homeFolder: Parameter = {
  param: 'home',
  kind: 'string',
  values: [],
  isRequired: false,
  default: null,
  description: '',
  entity: 'file',
};

function parameterOf(form: string, command: Command): Parameter | undefined {
  return form === '--home' ? homeFolder : command.options.find((option) => hasForm(option, form));
}

function readLine(command: Command, line: readonly string[]): ReadLine {
  const values: string[] = [];
  const known: Partial<Record<Entity, string>> = {};
  let open: Parameter | undefined;
  let isEnded = false;
  for (const word of line) {
    if (open !== undefined) {
      if (open.entity !== null) known[open.entity] = word;
      open = undefined;
    } else if (word === '--' && !isEnded) {
      isEnded = true;
    } else if (isEnded || !isOption(word)) {
      values.push(word);
    } else {
      const option = parameterOf(word, command);
      if (option !== undefined && option.kind !== 'boolean') open = option;
    }
  }
  const positional = values.slice(command.words.length);
  for (const [at, { entity }] of command.positionals.entries()) {
    if (entity !== null && positional[at] !== undefined) known[entity] = positional[at];
  }
  return { open, values: positional, isEnded, known };
}

function values(parameter: Parameter, typed: string, before: string, read: ReadLine, command: Command): Completion {
  const words = parameter.kind === 'boolean' ? ['true', 'false'] : parameter.values;
  const candidates = words
    .filter((word) => word.startsWith(typed))
    .map((word) => ({ value: before + word, description: '' }));
  if (parameter.entity === null) return { candidates, lookup: null };
  const known = { ...read.known };
  // The value at the cursor says nothing about others of its kind.
  if (parameter.kind !== 'list') delete known[parameter.entity];
  const taken = parameter.kind === 'list' ? read.values : [];
  return {
    candidates,
    lookup: { entity: parameter.entity, before, prefix: typed, known, taken, command: command.name },
  };
}

function options(line: readonly string[], typed: string, command: Command | undefined): Candidate[] {
  if (!typed.startsWith('-') && command === undefined) return [];
  const own = command?.options ?? [];
  const isOpen = (option: { name: string; short: string | null; kind?: string }): boolean =>
    option.kind === 'list' || option.kind === 'map' || !line.some((word) => hasForm(option, word.split('=', 1)[0]!));
  const offered = [...own, ...globalOptions.filter(({ name }) => own.every((option) => option.name !== name))];
  return offered
    .filter(isOpen)
    .map(({ name, description }) => ({ value: `--${name}`, description }))
    .filter(({ value }) => value.startsWith(typed));
}
