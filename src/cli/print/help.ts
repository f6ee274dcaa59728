import { jsonText } from '../clean-text.ts';
import { findCommand, commandsBelow } from '../../grammar/find-command.ts';
import type { Command, CommandTable, Parameter } from '../../grammar/command-table.ts';
import { globalOptions, optionForm, positionalForm, usageLine } from '../../grammar/usage.ts';
import type { Page } from '../terminal.ts';

/** The first words of commands, in the order in which somebody new meets them. */
const sections: readonly { title: string; words: readonly string[] }[] = [
  { title: 'To begin with', words: ['init', 'doctor', 'demo'] },
  { title: 'Repos and workspaces', words: ['repo', 'workspace'] },
  { title: 'Runs, and what goes out', words: ['run', 'push', 'watch'] },
  { title: 'What agents are told', words: ['role', 'guidance', 'context', 'template'] },
  { title: 'The service', words: ['service', 'open', 'setting', 'job', 'events'] },
  { title: 'The command line', words: ['completion', 'version'] },
];

const WIDEST = 110;

/** Help for a command, for a group of commands, or for all; with JSON their rows of the table. */
export function helpText(words: readonly string[], table: CommandTable, isJson: boolean, page: Page): string {
  const below = commandsBelow(words, table);
  const exact = below.find((command) => command.words.length === words.length);
  // Words that lead nowhere fault as they would without help.
  if (below.length === 0) findCommand(words, table);
  if (isJson) return `${jsonText({ commands: below }, 2)}\n`;
  if (exact !== undefined) return commandHelp(exact, page);
  return words.length === 0 ? overview(table, page) : groupHelp(words, below, page);
}

function overview(table: CommandTable, page: Page): string {
  const { style } = page;
  const known = sections.flatMap(({ words }) => words);
  const rest = commandsBelow([], table).filter(({ words }) => !known.includes(words[0]!));
  const parts = sections.map(({ title, words }) => ({
    title,
    commands: words.flatMap((word) => commandsBelow([word], table)),
  }));
  if (rest.length > 0) parts.push({ title: 'More', commands: rest });
  return [
    'takt: runs fleets of Claude Code agents over projects made of many repositories\n',
    '\nUsage: takt COMMAND [OPTION…]\n',
    ...parts.map(({ title, commands }) => `\n${style.bold(title)}\n${commandLines(commands, page)}`),
    `\n${style.bold('Options of every command')}\n${globalLines(page)}`,
    '\n`takt help COMMAND` says more. TAKT_HOME names the home (~/dev), TAKT_PORT the port of the service (7433);\n',
    'TAKT_URL and TAKT_TOKEN lead to a service on another machine.\n',
  ].join('');
}

function groupHelp(words: readonly string[], commands: readonly Command[], page: Page): string {
  return `Usage: takt ${words.join(' ')} COMMAND [OPTION…]\n\n${commandLines(commands, page)}\n\`takt help ${words.join(' ')} COMMAND\` says more.\n`;
}

function commandHelp(command: Command, page: Page): string {
  const { style } = page;
  const details = command.details === '' ? '' : `\n${wrap(command.details, page, '')}\n`;
  const positionals = command.positionals.map((parameter): Row => [positionalForm(parameter), aboutOf(parameter)]);
  const options = command.options.map((option): Row => [
    optionLabel(option.short, optionForm(option)),
    aboutOf(option),
  ]);
  return [
    `${wrap(command.summary, page, '')}\n`,
    `\nUsage: ${usageLine(command)}\n`,
    details,
    positionals.length === 0 ? '' : `\n${rowLines(positionals, page)}`,
    options.length === 0 ? '' : `\n${style.bold('Options')}\n${rowLines(options, page)}`,
    `\n${style.bold('Options of every command')}\n${globalLines(page)}`,
    command.examples.length === 0 ? '' : `\n${style.bold('Examples')}\n`,
    ...command.examples.map(({ line, does }) => `  ${style.cyan(line)}\n      ${does}\n`),
  ].join('');
}

function aboutOf(parameter: Parameter): string {
  const parts = [
    parameter.description,
    parameter.values.length > 0 ? `one of ${parameter.values.join(', ')}` : '',
    parameter.kind === 'list' ? 'may be repeated' : '',
    parameter.kind === 'map' ? 'once per key' : '',
    parameter.default === null || parameter.kind === 'boolean' ? '' : `default ${parameter.default}`,
  ];
  return parts.filter((part) => part !== '').join('; ');
}

type Row = [left: string, right: string];

const commandLines = (commands: readonly Command[], page: Page): string =>
  rowLines(
    commands.map(({ words, summary }): Row => [words.join(' '), summary]),
    page,
  );

const globalLines = (page: Page): string =>
  rowLines(
    globalOptions.map(({ name, short, label, description }): Row => [
      optionLabel(short, `--${name}${label === null ? '' : ` ${label}`}`),
      description,
    ]),
    page,
  );

const optionLabel = (short: string | null, form: string): string => `${short === null ? '    ' : `-${short}, `}${form}`;

function rowLines(rows: readonly Row[], page: Page): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  const indent = ' '.repeat(width + 4);
  return rows
    .map(
      ([left, right]) =>
        `  ${page.style.cyan(left)}${' '.repeat(width - left.length + 2)}${wrap(right, page, indent)}\n`,
    )
    .join('');
}

/** Breaks text at blanks; lines after the first are indented. */
function wrap(text: string, page: Page, indent: string): string {
  const limit = Math.max(30, Math.min(page.width ?? WIDEST, WIDEST) - indent.length);
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && line.length + word.length >= limit) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join(`\n${indent}`);
}
