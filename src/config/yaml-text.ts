import { type Document, isMap, isNode, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { Fault, type FaultCode } from '../contract/faults.ts';
import { issueSentence } from './issue-sentence.ts';
import { didYouMean } from './did-you-mean.ts';
import { keysAt } from './schema-shape.ts';

/** A YAML text with the places of everything in it. */
export interface YamlText {
  readonly document: Document;
  /**
   * `config/repos.yaml:12:5`, for the value (or with `key`, the key) that the path leads to, or the nearest above it.
   */
  placeOf(path: readonly PropertyKey[], part?: 'key' | 'value'): string;
}

const YAML_LIMIT_CHARS = 1_000_000;

/** Reads YAML; what is not YAML is a fault that names file, line and column. `file` is how the user knows the text. */
export function readYaml(text: string, file: string, code: FaultCode): YamlText {
  if (text.length > YAML_LIMIT_CHARS) throw new Fault(code, `${file} is longer than ${YAML_LIMIT_CHARS} characters.`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  const problem = document.errors[0];
  if (problem !== undefined) {
    throw new Fault(code, `${place(problem.pos[0])}: ${asSentence(problem.message)}`, { hint: 'Mend the YAML there.' });
  }
  return { document, placeOf: (path, part = 'value') => place(offsetOf(document, path, part)) };
}

/**
 * The value of a YAML text as the schema has it. The first thing that does not fit is a fault with its place and, for
 * a key that nobody knows, the nearest right one.
 */
export function parseYaml<Value>(yaml: YamlText, schema: z.ZodType<Value>, code: FaultCode): Value {
  const data = plainData(yaml, code);
  const parsed = schema.safeParse(data ?? {});
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues;
  // A misspelt key often leaves the right one missing too, and the misspelling is the cause.
  throw faultOfIssue(yaml, schema, issues.find((issue) => issue.code === 'unrecognized_keys') ?? issues[0]!, code);
}

/** Aliases are unfolded here, and a few lines of them can stand for gigabytes. */
function plainData(yaml: YamlText, code: FaultCode): unknown {
  try {
    return yaml.document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    if (error instanceof ReferenceError)
      throw new Fault(code, `${yaml.placeOf([])}: ${asSentence(error.message)}`, {
        hint: 'Write it out without aliases (*name).',
        cause: error,
      });
    throw error;
  }
}

function faultOfIssue(yaml: YamlText, schema: z.ZodType, issue: z.core.$ZodIssue, code: FaultCode): Fault {
  const where = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const known = keysAt(schema, issue.path);
    const list = known.length === 0 ? '' : ` Known here: ${known.join(', ')}.`;
    return new Fault(
      code,
      `${yaml.placeOf([...issue.path, key], 'key')}: the key ${key} is not known.${didYouMean(key, known)}`,
      {
        hint: `Mend or remove the key.${list}`,
      },
    );
  }
  const value = issue.path.length === 0 ? yaml.document.toJS() : yaml.document.getIn(issue.path);
  const what = `${where === '' ? 'the text' : where} ${issueSentence(issue, value)}`;
  return new Fault(code, `${yaml.placeOf(issue.path)}: ${asSentence(what)}`, {
    hint: 'Mend the text at the place named.',
  });
}

function offsetOf(document: Document, path: readonly PropertyKey[], part: 'key' | 'value'): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, step] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === step);
      if (pair === undefined) break;
      const isLast = index === path.length - 1;
      node = pair.value;
      offset = (isLast && part === 'key' ? startOf(pair.key) : (startOf(node) ?? startOf(pair.key))) ?? offset;
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
      offset = startOf(node) ?? offset;
    } else break;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined;
}

function asSentence(text: string): string {
  const line = text.split('\n')[0]!.trim();
  return /[.!?]$/.test(line) ? line : `${line}.`;
}
