import { Fault } from '../contract/faults.ts';
import { nearestWord } from '../contract/nearest-word.ts';

const LEADING_COMMENT = /^\s*<!--\s*([\s\S]*?)\s*-->[ \t]*\r?\n?/;

/**
 * Fills in a template: `{{name}}` is replaced by the value of that name, and a comment at the top, which says what the
 * template is for, is left out. Faults with CONFIG_INVALID on a name that has no value; `file` says where it is.
 */
export function renderTemplate(
  text: string,
  values: Readonly<Record<string, string>>,
  file: string = 'the template',
): string {
  const offset = LEADING_COMMENT.exec(text)?.[0].length ?? 0;
  const rendered = text.slice(offset).replaceAll(/\{\{\s*([^{}]*?)\s*\}\}/g, (_whole, name: string, at: number) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) throw unknownPlaceholder(name, values, `${file}:${lineAt(text, offset + at)}`);
    return value;
  });
  return `${rendered.replaceAll(/\n{3,}/g, '\n\n').trim()}\n`;
}

/** What a template is for: its comment at the top, on one line; empty if it has none. */
export function templatePurpose(text: string): string {
  return LEADING_COMMENT.exec(text)?.[1]?.replaceAll(/\s+/g, ' ') ?? '';
}

function unknownPlaceholder(name: string, values: Readonly<Record<string, string>>, place: string): Fault {
  const known = Object.keys(values);
  const near = nearestWord(name, known);
  const hint =
    near === undefined ? `It can use ${known.map((word) => `{{${word}}}`).join(', ')}.` : `Did you mean {{${near}}}?`;
  return new Fault('CONFIG_INVALID', `${place}: nothing is known as {{${name}}}.`, { hint });
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;
