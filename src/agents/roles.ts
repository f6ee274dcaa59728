import { Fault } from '../contract/faults.ts';

/** A named prompt that agent steps take. */
export interface RoleText {
  readonly name: string;
  /** The first line below the heading: what lists show. */
  readonly purpose: string;
  /** Everything below the purpose. */
  readonly prompt: string;
}

interface Section extends RoleText {
  /** The lines of the file that are the prompt: from, and up to but without, counted from 0. */
  readonly promptStart: number;
  readonly end: number;
}

export const ROLES_FILE = 'templates/pipeline_roles.md';

const NAME = /^[a-z][a-z0-9_-]*$/;
const NAME_LIMIT_CHARS = 64;
const PURPOSE_LIMIT_CHARS = 120;

/**
 * The roles in the text of `pipeline_roles.md`: each begins with a `## name` heading, then one line that says what it
 * is
 * for, then its prompt, which may have headings of other levels. What stands before the first role is for readers.
 * Faults with CONFIG_INVALID, naming `file` and the line.
 */
export function parseRoles(text: string, file: string = ROLES_FILE): RoleText[] {
  return sectionsOf(text, file).map(({ name, purpose, prompt }) => ({ name, purpose, prompt }));
}

/**
 * The text with another prompt for a role. A role that is not there yet is added at the end, and the first line of the
 * prompt is its purpose. Faults with INPUT_INVALID if the prompt would not be read back as it is given.
 */
export function replaceRole(text: string, name: string, prompt: string): string {
  const given = prompt.replaceAll('\r\n', '\n').trim();
  if (!isName(name))
    throw new Fault(
      'INPUT_INVALID',
      `"${name}" cannot name a role: small letters, digits, dash and underscore, starting with a letter.`,
    );
  if (given === '') throw new Fault('INPUT_INVALID', `The prompt of the role ${name} is empty.`);
  if (headingsIn(given.split('\n')).length > 0) {
    throw new Fault(
      'INPUT_INVALID',
      `The prompt of the role ${name} has a heading of the second level, where the next role would begin.`,
      { hint: 'Use `###` for headings within a prompt.' },
    );
  }
  const lines = linesIn(text);
  const section = sectionsOf(text, ROLES_FILE).find((role) => role.name === name);
  if (section === undefined)
    return `${lines.join('\n').trimEnd()}\n\n## ${name}\n\n${purposeFrom(given)}\n\n${given}\n`.trimStart();
  const rest = lines.slice(section.end).join('\n');
  return `${lines.slice(0, section.promptStart).join('\n').trimEnd()}\n\n${given}\n${rest === '' ? '' : `\n${rest}`}`;
}

function sectionsOf(text: string, file: string): Section[] {
  const lines = linesIn(text);
  const headings = headingsIn(lines);
  const seen = new Map<string, number>();
  return headings.map(({ line, name }, index) => {
    const place = `${file}:${line + 1}`;
    if (!isName(name))
      throw new Fault(
        'CONFIG_INVALID',
        `${place}: "${name}" cannot name a role: small letters, digits, dash and underscore, starting with a letter.`,
      );
    const earlier = seen.get(name);
    if (earlier !== undefined)
      throw new Fault('CONFIG_INVALID', `${place}: the role ${name} is there already, in line ${earlier + 1}.`);
    seen.set(name, line);
    const end = headings[index + 1]?.line ?? lines.length;
    const purposeLine = lines.findIndex((content, at) => at > line && at < end && content.trim() !== '');
    if (purposeLine === -1)
      throw new Fault(
        'CONFIG_INVALID',
        `${place}: the role ${name} is empty; it needs a line that says what it is for, and a prompt.`,
      );
    const prompt = lines
      .slice(purposeLine + 1, end)
      .join('\n')
      .trim();
    if (prompt === '')
      throw new Fault(
        'CONFIG_INVALID',
        `${file}:${purposeLine + 1}: the role ${name} has no prompt below the line that says what it is for.`,
      );
    return { name, purpose: lines[purposeLine]!.trim(), prompt, promptStart: purposeLine + 1, end };
  });
}

/** Headings of the second level, those in code blocks not counted. */
function headingsIn(lines: readonly string[]): { line: number; name: string }[] {
  let fence: string | undefined;
  return lines.flatMap((content, line) => {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(content)?.[1];
    if (fence === undefined && mark !== undefined) fence = mark;
    else if (fence !== undefined && mark !== undefined && mark.startsWith(fence) && content.trim() === mark)
      fence = undefined;
    const heading = fence === undefined ? /^##(?!#)\s*(.*?)\s*#*\s*$/.exec(content) : null;
    return heading === null ? [] : [{ line, name: heading[1]! }];
  });
}

const linesIn = (text: string): string[] => text.replaceAll('\r\n', '\n').split('\n');

const isName = (name: string): boolean => NAME.test(name) && name.length <= NAME_LIMIT_CHARS;

function purposeFrom(prompt: string): string {
  const first = prompt
    .split('\n')[0]!
    .replace(/^#+\s*/, '')
    .trim();
  return first.length <= PURPOSE_LIMIT_CHARS ? first : `${first.slice(0, PURPOSE_LIMIT_CHARS - 1)}…`;
}
