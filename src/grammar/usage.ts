import type { Command, Option, Parameter } from './command-table.ts';

/** An option that every command takes. */
export interface GlobalOption {
  readonly name: string;
  readonly short: string | null;
  /** What its value is called in the help; null for a switch. */
  readonly label: string | null;
  readonly description: string;
}

export const globalOptions: readonly GlobalOption[] = [
  { name: 'json', short: null, label: null, description: 'print the reply as JSON; faults as JSON on standard error' },
  { name: 'yes', short: 'y', label: null, description: 'do it without asking' },
  { name: 'home', short: null, label: 'FOLDER', description: 'the home to use instead of TAKT_HOME' },
  { name: 'help', short: 'h', label: null, description: 'show what the command takes' },
];

/** `takt workspace create WORKSPACE REPO… [OPTION…]`; required options are named. */
export function usageLine(command: Command): string {
  const required = command.options.filter(({ isRequired }) => isRequired).map(optionForm);
  const optional = command.options.length > required.length ? ['[OPTION…]'] : [];
  return ['takt', ...command.words, ...command.positionals.map(positionalForm), ...required, ...optional].join(' ');
}

/** `REPO…`, or `[FOLDER]` if it may be left out. */
export function positionalForm(parameter: Parameter): string {
  const label = labelOf(parameter) + (parameter.kind === 'list' ? '…' : '');
  return parameter.isRequired ? label : `[${label}]`;
}

/** `--workspace WORKSPACE`, `--follow`, `--commits KEY=VALUE`. */
export function optionForm(option: Option): string {
  switch (option.kind) {
    case 'boolean':
      return option.default === true ? `--no-${option.name}` : `--${option.name}`;
    case 'map':
      return `--${option.name} KEY=VALUE`;
    case 'string':
    case 'number':
    case 'enum':
    case 'list':
      return `--${option.name} ${labelOf(option)}`;
  }
}

/** What stands for a value in the help: the name in capitals, of a list that of one member. */
export function labelOf(parameter: Parameter): string {
  const name = parameter.kind === 'list' ? parameter.param.replace(/s$/, '') : parameter.param;
  const entity = parameter.entity === 'repo' ? 'repo' : name;
  return (parameter.kind === 'number' ? 'n' : entity).replaceAll(/[A-Z]/g, (letter) => `-${letter}`).toUpperCase();
}
