const ESCAPE = '\u001b';
/** Colours and the like, but not code 8, which hides what follows. */
const colours = new RegExp(`${ESCAPE}\\[(?!(?:[0-9;:]*[;:])?0*8(?:[;:]|m))[0-9;:]*m`, 'g');
const RESET = `${ESCAPE}[0m`;
/**
 * CSI, OSC/DCS/APC/PM/SOS up to their end, and two-character escapes (ECMA-48); then what is left of control
 * characters.
 */
const sequences = new RegExp(
  `${ESCAPE}(?:\\[[0-?]*[ -/]*[@-~]|[\\]PX^_][^\\u0007${ESCAPE}]*(?:\\u0007|${ESCAPE}\\\\)?|[ -/]*[0-~])`,
  'g',
);
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

const hidden = /[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text of others (agents, commands, branch names) without what would steer the terminal: it may not move the cursor,
 * set the title or write over what takt says. Colours stay if `keepColours`, and end with the text.
 */
export function cleanText(text: string, { keepColours }: { keepColours: boolean } = { keepColours: false }): string {
  if (!keepColours)
    return text
      .replaceAll(sequences, '')
      .replaceAll(controls, '')
      .replaceAll(/\r(?!\n)/g, '\n');
  const parts = text.split(colours);
  const kept = text.match(colours) ?? [];
  const whole = parts.map((part, at) => cleanText(part) + (kept[at] ?? '')).join('');
  if (kept.length === 0 || kept.at(-1) === RESET) return whole;
  return whole.endsWith('\n') ? `${whole.slice(0, -1)}${RESET}\n` : whole + RESET;
}

/**
 * JSON that steers no terminal either: `JSON.stringify` leaves the control characters from U+007F on as they are, of
 * which U+009B begins a sequence, and those that turn the direction of writing.
 */
export function jsonText(value: unknown, indent = 0): string {
  const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value, null, indent).replaceAll(hidden, escaped);
}

/** On one line, cut to so many characters with an ellipsis. */
export function oneLine(text: string, limit = 200): string {
  const line = cleanText(text).replaceAll(/\s+/g, ' ').trim();
  return cutTo(line, limit);
}

export function cutTo(text: string, limit: number): string {
  const letters = [...text];
  return letters.length <= limit ? text : `${letters.slice(0, Math.max(0, limit - 1)).join('')}…`;
}
