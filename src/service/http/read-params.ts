import type { z } from 'zod';
import { didYouMean } from '../../config/did-you-mean.ts';
import { issueSentence } from '../../config/issue-sentence.ts';
import { keysAt, kindAt } from '../../config/schema-shape.ts';
import { Fault } from '../../contract/faults.ts';

/** The three places of a request that hold parameters, as they came. */
export interface RawParams {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  /** Undefined where the request has no body. */
  readonly body: unknown;
}

/**
 * The parameters of a call, merged and parsed. Text of path and query becomes what the schema wants: numbers, booleans,
 * lists. What does not fit is Fault INPUT_INVALID, which names the parameter and, for an unknown one, the nearest.
 */
export function readParams<Params>(schema: z.ZodType<Params>, raw: RawParams): Params {
  const body = raw.body ?? {};
  if (typeof body !== 'object' || Array.isArray(body))
    throw new Fault('BODY_NOT_JSON', 'The body is not a JSON object.');
  const query = Object.fromEntries(
    Object.entries(raw.query).map(([name, text]) => [name, fromText(schema, name, text)]),
  );
  // The path comes last: it is what the route was chosen by.
  const merged: Record<string, unknown> = { ...query, ...body, ...raw.path };
  const parsed = schema.safeParse(merged);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues;
  throw faultOf(schema, merged, issues.find((issue) => issue.code === 'unrecognized_keys') ?? issues[0]!);
}

function fromText(schema: z.ZodType, name: string, given: string | readonly string[]): unknown {
  const kind = kindAt(schema, [name]);
  const texts = typeof given === 'string' ? [given] : given;
  if (kind === 'array') return texts.map((text) => oneFromText(kindAt(schema, [name, 0]), text));
  // More than one value for a parameter that takes one is left to the schema, which refuses the list.
  return texts.length === 1 ? oneFromText(kind, texts[0]!) : texts;
}

function oneFromText(kind: string | undefined, text: string): unknown {
  if (kind === 'number' && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (kind === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

function faultOf(schema: z.ZodType, merged: Record<string, unknown>, issue: z.core.$ZodIssue): Fault {
  if (issue.code === 'unrecognized_keys' && issue.path.length === 0) {
    const name = issue.keys[0] ?? '';
    const known = keysAt(schema, []);
    const list = known.length === 0 ? 'It takes no parameters.' : `It takes ${known.join(', ')}.`;
    return new Fault('INPUT_INVALID', `No parameter is called ${name}.${didYouMean(name, known)}`, { hint: list });
  }
  const name = issue.path.map(String).join('.');
  return new Fault(
    'INPUT_INVALID',
    `${name === '' ? 'The input' : name} ${issueSentence(issue, valueAt(merged, issue.path))}.`,
  );
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, part) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<PropertyKey, unknown>)[part] : undefined,
    value,
  );
}
