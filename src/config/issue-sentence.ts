import type { z } from 'zod';
import { nearestWord } from '../contract/nearest-word.ts';

const typeNames: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a group of keys',
  record: 'a group of keys',
};

/** Of a value that does not fit, as much as tells which one it is. */
const SHOWN_CHARS = 80;

/**
 * What is wrong, in words that a user knows: `has to be a number`, without the name of the thing and without a full
 * stop. `input` is the value that did not fit, where it is known.
 */
export function issueSentence(issue: z.core.$ZodIssue, input?: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return input === undefined ? 'is missing' : `has to be ${typeNames[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return valueSentence(issue.values.map(String), input);
    case 'too_big':
      return `is over the limit of ${String(issue.maximum)}${unitOf(issue.origin)}`;
    case 'too_small':
      return issue.minimum === 1 && issue.origin !== 'number'
        ? 'is empty'
        : `is below the least of ${String(issue.minimum)}${unitOf(issue.origin)}`;
    case 'invalid_union': {
      const first = issue.errors[0]?.[0];
      return first === undefined ? issue.message : issueSentence(first, input);
    }
    case 'invalid_format':
    case 'not_multiple_of':
    case 'unrecognized_keys':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      // A pattern of the contract brings its own words; those of zod show the pattern, which helps nobody more.
      return issue.message.startsWith('Invalid')
        ? 'has a form that is not taken'
        : misfitSentence(issue.message, input);
  }
}

function misfitSentence(rule: string, input: unknown): string {
  if (typeof input !== 'string') return `does not fit: ${rule}`;
  return `is ${JSON.stringify(input.slice(0, SHOWN_CHARS))}, which does not fit: ${rule}`;
}

function valueSentence(values: readonly string[], input: unknown): string {
  const near = typeof input === 'string' ? nearestWord(input, values) : undefined;
  const list = values.length === 1 ? values[0]! : `one of ${values.join(', ')}`;
  return near === undefined ? `has to be ${list}` : `has to be ${list}; did you mean ${near}?`;
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' entries' : '';
}
