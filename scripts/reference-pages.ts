/** The texts of the reference pages that are made from the contract. */
import { faults } from '../src/contract/faults.ts';
import { operations } from '../src/contract/operations.ts';
import { commandTable, type Command, type Option, type Parameter } from '../src/grammar/command-table.ts';
import { typedCommands } from '../src/grammar/find-command.ts';
import { globalOptions, optionForm, positionalForm, usageLine } from '../src/grammar/usage.ts';

/** Text by path within the project. */
export function referencePages(): Record<string, string> {
  return { 'docs/reference/cli.md': cliPage(), 'docs/reference/faults.md': faultsPage() };
}

const NOTE = '<!-- Made by scripts/write-reference.ts; change the contract instead. -->';

function cliPage(): string {
  const commands = typedCommands(commandTable(operations));
  const groups = Map.groupBy(commands, ({ words }) => words[0]!);
  return [
    `# The command line\n\n${NOTE}\n`,
    'Options may stand anywhere, as `--option VALUE`, `--option=VALUE` or, where one is named, `-o VALUE`; `--no-option`',
    'switches off, and `--` ends the options. `takt help COMMAND` says what stands here.\n',
    `## Every command\n\n${globalOptions.map(globalLine).join('\n')}\n`,
    'The environment: `TAKT_HOME` is the home (`~/dev`), `TAKT_PORT` the port of its service (7433). `TAKT_URL` and',
    '`TAKT_TOKEN` lead to a service on another machine. `NO_COLOR` takes colours away.\n',
    'The exit code is 0 if all went well, 130 after Ctrl-C, and else that of the [fault](faults.md). `--wait` gives 0 if',
    'the run passed, 1 if it did not, 3 if it waits for an approval.\n',
    ...[...groups].map(([word, members]) => `## ${word}\n\n${members.map(commandSection).join('\n')}`),
  ].join('\n');
}

function globalLine({ name, short, label, description }: (typeof globalOptions)[number]): string {
  const forms = [...(short === null ? [] : [`-${short}`]), `--${name}${label === null ? '' : ` ${label}`}`];
  return `- \`${forms.join('`, `')}\`: ${description}`;
}

function commandSection(command: Command): string {
  const parameters = [...command.positionals.map(positionalLine), ...command.options.map(optionLine)];
  const examples = command.examples.map(({ line, does }) => `# ${does}\n${line}`);
  const asks = command.isDangerous ? 'It asks before it acts; `--yes` answers.\n' : '';
  return [
    `### takt ${command.words.join(' ')}\n`,
    `${command.summary}\n`,
    ...(command.details === '' ? [] : [`${command.details}\n`]),
    ...(asks === '' ? [] : [asks]),
    `\`\`\`text\n${usageLine(command)}\n\`\`\`\n`,
    ...(parameters.length === 0 ? [] : [`${parameters.join('\n')}\n`]),
    ...(examples.length === 0 ? [] : [`\`\`\`sh\n${examples.join('\n')}\n\`\`\`\n`]),
  ].join('\n');
}

const positionalLine = (parameter: Parameter): string => `- \`${positionalForm(parameter)}\`${aboutOf(parameter)}`;

function optionLine(option: Option): string {
  const short = option.short === null ? '' : `\`-${option.short}\`, `;
  return `- ${short}\`${optionForm(option)}\`${aboutOf(option)}`;
}

function aboutOf({ description, values, kind, default: byDefault }: Parameter): string {
  const parts = [
    description,
    values.length === 0 ? '' : `one of ${values.map((value) => `\`${value}\``).join(', ')}`,
    kind === 'list' ? 'may be repeated' : '',
    kind === 'map' ? 'once per key' : '',
    byDefault === null || kind === 'boolean' ? '' : `default \`${byDefault}\``,
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : `: ${parts.join('; ')}`;
}

function faultsPage(): string {
  const rows = Object.entries(faults).map(
    ([code, { httpStatus, exitCode, hint }]) =>
      `| \`${code}\` | ${httpStatus} | ${exitCode} | ${hint.replaceAll('|', '\\|')} |`,
  );
  return [
    `# Faults\n\n${NOTE}\n`,
    'What stops takt is a fault: a code, a sentence that names the thing, a hint, and where another program said something,',
    'its words. Over HTTP it is the body `{"fault": {"code", "message", "hint", "detail"?}}` with the status below; the',
    'command line prints it on standard error, with `--json` as that body, and ends with the exit code. A step of a run that',
    'fails is no fault but an outcome.\n',
    'Exit codes: 2 wrong input, 3 waits for a person, 4 not found, 5 a state is in the way, 6 refused, 7 something outside',
    'takt failed, 69 no service, 70 a defect of takt, 130 cancelled; 1 is a run that did not pass.\n',
    '| code | HTTP status | exit code | hint, unless a better one is known |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
