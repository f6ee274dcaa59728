import { Fault } from '../contract/faults.ts';
import { nearestWord } from '../contract/nearest-word.ts';
import type { Command, CommandTable, Option, Parameter } from './command-table.ts';
import { findCommand } from './find-command.ts';
import { globalOptions, labelOf, optionForm, usageLine } from './usage.ts';

export type ParamValue = string | number | boolean | string[] | Record<string, string>;
export type Params = Record<string, ParamValue>;

export interface Flags {
  readonly json: boolean;
  readonly yes: boolean;
  /** A folder as it was typed, or null. */
  readonly home: string | null;
}

export type ParsedLine =
  | { readonly kind: 'command'; readonly command: Command; readonly params: Params; readonly flags: Flags }
  /** `words` name a command, a group of commands, or nothing. */
  | { readonly kind: 'help'; readonly words: readonly string[]; readonly flags: Flags };

/**
 * Reads the words after `takt`. Options may stand anywhere, `--` ends them, and the last positional may be a list.
 * Throws COMMAND_UNKNOWN or INPUT_INVALID, naming the word that was probably meant. Values are checked only as far as
 * their kind goes; the service knows the rest.
 */
export function parseLine(argv: readonly string[], table: CommandTable): ParsedLine {
  const { words, given } = splitLine(argv, table);
  const flags = { json: given.globals.has('json'), yes: given.globals.has('yes'), home: given.home };
  if (words[0] === 'help') return { kind: 'help', words: words.slice(1), flags };
  if (given.globals.has('version'))
    return { kind: 'command', command: findCommand(['version'], table), params: {}, flags };
  if (words.length === 0) return { kind: 'help', words, flags };
  if (given.globals.has('help')) return { kind: 'help', words: commandWords(words, table), flags };
  const command = findCommand(words, table);
  const params = { ...positionalParams(command, words.slice(command.words.length)), ...given.params };
  const missing = command.options.find(({ isRequired, param }) => isRequired && params[param] === undefined);
  if (missing !== undefined) throw lacks(command, optionForm(missing));
  return { kind: 'command', command, params, flags };
}

interface Given {
  readonly params: Params;
  readonly globals: Set<string>;
  home: string | null;
}

/**
 * Takes the options out. Which command it is has to be known for that, and its words come before its options' values.
 */
function splitLine(argv: readonly string[], table: CommandTable): { words: string[]; given: Given } {
  const words: string[] = [];
  const given: Given = { params: {}, globals: new Set(), home: null };
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') {
      words.push(...rest.splice(0));
    } else if (!isOption(word)) {
      words.push(word);
    } else {
      takeOption(word, rest, given, findOptions(words, table));
    }
  }
  return { words, given };
}

/** The command whose words stand before an option, if they are complete there. */
function findOptions(words: readonly string[], table: CommandTable): Command | undefined {
  return table.commands.find(
    (command) => command.words.length > 0 && command.words.every((word, at) => words[at] === word),
  );
}

function takeOption(word: string, rest: string[], given: Given, command: Command | undefined): void {
  const [form, inline] = splitAtEquals(word);
  const known = globalOptions.find((option) => hasForm(option, form));
  const option = command?.options.find((declared) => hasForm(declared, form));
  if (option !== undefined) {
    takeValue(option, given, option.kind === 'boolean' ? (inline ?? 'true') : valueOf(form, inline, rest));
  } else if (known !== undefined && known.label !== null) {
    given.home = valueOf(form, inline, rest);
  } else if (known !== undefined && inline === undefined) {
    given.globals.add(known.name);
  } else if ((form === '--version' || form === '-V') && command === undefined) {
    given.globals.add('version');
  } else {
    const denied = command?.options.find(({ name, kind }) => kind === 'boolean' && form === `--no-${name}`);
    if (denied === undefined || inline !== undefined) throw unknownOption(form, command);
    given.params[denied.param] = false;
  }
}

/** True if a word of a line is one of an option: it begins with a dash, and is neither `-` alone nor a number. */
export function isOption(word: string): boolean {
  return word.startsWith('-') && word.length > 1 && !/^-(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word);
}

/** True if an option is written so: `--name`, or `-n` for the short form. */
export function hasForm(option: { readonly name: string; readonly short: string | null }, form: string): boolean {
  return form === `--${option.name}` || (option.short !== null && form === `-${option.short}`);
}

function splitAtEquals(word: string): [form: string, inline: string | undefined] {
  const at = word.indexOf('=');
  return at === -1 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function valueOf(form: string, inline: string | undefined, rest: string[]): string {
  if (inline !== undefined) return inline;
  const next = rest[0];
  if (next !== undefined && !isOption(next)) return rest.shift()!;
  const hint = next === undefined ? undefined : `A value that begins with a dash is written ${form}=${next}`;
  throw new Fault('INPUT_INVALID', `${form} needs a value.`, hint === undefined ? {} : { hint: `${hint}.` });
}

function takeValue(option: Option, given: Given, text: string): void {
  const { param } = option;
  const before = given.params[param];
  switch (option.kind) {
    case 'list':
      // Names hold no commas; other lists, such as of paths, may.
      given.params[param] = [
        ...((before as string[] | undefined) ?? []),
        ...(option.entity === null ? [text] : text.split(',')),
      ];
      break;
    case 'map': {
      const [key, value] = splitAtEquals(text);
      if (value === undefined || key === '')
        throw new Fault('INPUT_INVALID', `--${option.name} takes KEY=VALUE, and \`${text}\` is none.`);
      given.params[param] = { ...(before as Record<string, string> | undefined), [key]: value };
      break;
    }
    case 'string':
    case 'number':
    case 'enum':
    case 'boolean':
      if (before !== undefined && before !== scalarOf(option, text, `--${option.name}`)) {
        throw new Fault('INPUT_INVALID', `--${option.name} is given twice, with different values.`);
      }
      given.params[param] = scalarOf(option, text, `--${option.name}`);
      break;
  }
}

/** `called` is how a fault names the parameter. */
function scalarOf(parameter: Parameter, text: string, called: string): string | number | boolean {
  if (parameter.kind === 'number') {
    const number = Number(text);
    if (text.trim() === '' || Number.isNaN(number))
      throw new Fault('INPUT_INVALID', `${called} takes a number, and \`${text}\` is none.`);
    return number;
  }
  if (parameter.kind === 'boolean') {
    if (text !== 'true' && text !== 'false')
      throw new Fault('INPUT_INVALID', `${called} is a switch: it takes true, false or nothing.`);
    return text === 'true';
  }
  if (parameter.kind === 'enum' && !parameter.values.includes(text)) {
    const nearest = nearestWord(text, parameter.values);
    const meant = nearest === undefined ? '' : ` Did you mean \`${nearest}\`?`;
    throw new Fault('INPUT_INVALID', `${called} does not take \`${text}\`.${meant}`, {
      hint: `It takes one of: ${parameter.values.join(', ')}.`,
    });
  }
  return text;
}

function positionalParams(command: Command, values: readonly string[]): Params {
  const params: Params = {};
  const rest = [...values];
  for (const parameter of command.positionals) {
    if (parameter.kind === 'list') {
      if (rest.length > 0) params[parameter.param] = rest.splice(0);
    } else if (rest.length > 0) {
      params[parameter.param] = scalarOf(parameter, rest.shift()!, labelOf(parameter));
    }
  }
  const missing = command.positionals.filter(({ isRequired, param }) => isRequired && params[param] === undefined);
  if (missing.length > 0) throw lacks(command, missing.map(labelOf).join(' and '));
  if (rest.length > 0) {
    const takes =
      command.positionals.length === 0
        ? 'takes no words after it'
        : `takes nothing after ${labelOf(command.positionals.at(-1)!)}`;
    throw new Fault('INPUT_INVALID', `\`takt ${command.words.join(' ')}\` ${takes}, and \`${rest[0]!}\` was given.`, {
      hint: `Usage: ${usageLine(command)}`,
    });
  }
  return params;
}

function lacks(command: Command, what: string): Fault {
  return new Fault('INPUT_INVALID', `\`takt ${command.words.join(' ')}\` needs ${what}.`, {
    hint: `Usage: ${usageLine(command)}`,
  });
}

/** For `takt workspace create feature --help`: the words of the command, without what follows. */
function commandWords(words: readonly string[], table: CommandTable): readonly string[] {
  return findOptions(words, table)?.words ?? words;
}

function unknownOption(form: string, command: Command | undefined): Fault {
  if (command === undefined) {
    return new Fault('INPUT_INVALID', `The option ${form} has to come after a command.`, {
      hint: '`takt help` lists the commands.',
    });
  }
  const known = [...command.options, ...globalOptions].map(({ name }) => `--${name}`);
  const nearest = nearestWord(form, known);
  const meant = nearest === undefined ? '' : ` Did you mean ${nearest}?`;
  return new Fault('INPUT_INVALID', `\`takt ${command.words.join(' ')}\` has no option ${form}.${meant}`, {
    hint: `\`takt help ${command.words.join(' ')}\` shows its options.`,
  });
}
