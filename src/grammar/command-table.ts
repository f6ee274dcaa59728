import type { Entity, Operation, OperationKind, Right } from '../contract/operation.ts';

/** `map` is given as `--name key=value`, once per key. */
export type ValueKind = 'string' | 'number' | 'boolean' | 'list' | 'enum' | 'map';

/** One parameter of a command, as far as the command line has to know it; the service checks the rest. */
export interface Parameter {
  /** The name in the operation's params. */
  readonly param: string;
  readonly kind: ValueKind;
  /** The words that an `enum` takes; empty for other kinds. */
  readonly values: readonly string[];
  readonly isRequired: boolean;
  /** Null if the schema names none; empty lists and `false` count as none too. */
  readonly default: string | number | boolean | null;
  readonly description: string;
  readonly entity: Entity | null;
}

export interface Option extends Parameter {
  /** In kebab-case, without dashes. */
  readonly name: string;
  readonly short: string | null;
}

/** An operation as data: all that help, parsing, completion and the call itself need. */
export interface Command {
  readonly name: string;
  /** Empty if the operation is for programs and has no command. */
  readonly words: readonly string[];
  readonly positionals: readonly Parameter[];
  readonly options: readonly Option[];
  readonly summary: string;
  readonly details: string;
  readonly examples: readonly { readonly line: string; readonly does: string }[];
  readonly kind: OperationKind;
  readonly http: Operation['http'];
  readonly isDangerous: boolean;
  readonly who: Right;
}

/** Every operation. Plain JSON, so that it can be stored beside the program. */
export interface CommandTable {
  readonly commands: readonly Command[];
}

/** The part of JSON Schema that the params of operations use. */
interface ValueSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly items?: ValueSchema;
  readonly minItems?: number;
  readonly default?: unknown;
  readonly description?: string;
}

/** Turns the declared operations into plain data, sorted by their words; those without a command come first. */
export function commandTable(operations: readonly Operation[]): CommandTable {
  const lineOf = ({ words }: Command): string => words.join(' ');
  const commands = operations.map(commandOf);
  return {
    commands: commands.toSorted(
      (one, other) => Number(lineOf(one) > lineOf(other)) - Number(lineOf(one) < lineOf(other)),
    ),
  };
}

/** The command with this operation name; asking for one that does not exist is a defect. */
export function commandNamed(table: CommandTable, name: string): Command {
  const found = table.commands.find((command) => command.name === name);
  if (found === undefined) throw new Error(`The table of commands lacks ${name}.`);
  return found;
}

function commandOf(operation: Operation): Command {
  const schema = operation.params.toJSONSchema({ io: 'input' }) as {
    properties?: Record<string, ValueSchema>;
    required?: readonly string[];
  };
  const parameters = Object.entries(schema.properties ?? {}).map(([param, value]) =>
    parameterOf(param, value, schema.required?.includes(param) ?? false, operation.entities[param] ?? null),
  );
  const { positionals, words, shorts = {} } = operation.command;
  return {
    name: operation.name,
    words,
    positionals: positionals.map((name) => parameters.find(({ param }) => param === name)!),
    options: parameters
      .filter(({ param }) => !positionals.includes(param))
      .map((parameter) => ({ ...parameter, name: kebabCase(parameter.param), short: shorts[parameter.param] ?? null })),
    summary: operation.summary,
    details: operation.details ?? '',
    examples: operation.examples,
    kind: operation.kind,
    http: operation.http,
    isDangerous: operation.isDangerous,
    who: operation.who,
  };
}

function parameterOf(param: string, schema: ValueSchema, isRequired: boolean, entity: Entity | null): Parameter {
  const { default: byDefault } = schema;
  const isShown = typeof byDefault === 'string' || typeof byDefault === 'number' || byDefault === true;
  return {
    param,
    kind: kindOf(schema),
    values: schema.enum ?? [],
    isRequired,
    default: isShown && byDefault !== '' ? byDefault : null,
    description: schema.description ?? '',
    entity,
  };
}

function kindOf(schema: ValueSchema): ValueKind {
  if (schema.enum !== undefined) return 'enum';
  const types = [schema.type ?? 'string'].flat();
  // A switch may come as text in a query, so its schema takes both.
  if (types.includes('boolean')) return 'boolean';
  if (types.includes('array')) return 'list';
  if (types.includes('object')) return 'map';
  return types.includes('number') || types.includes('integer') ? 'number' : 'string';
}

function kebabCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
