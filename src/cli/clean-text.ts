const ESCAPE = '\u001b';
const colours = new RegExp(`${ESCAPE}\\[[0-9;:]*m`, 'g');
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

/**
 * Text of others (agents, commands, branch names) without what would steer the terminal: it may not move the cursor,
 * set the title or write over what takt says. Colours stay if `keepColours`.
 */
export function cleanText(text: string, { keepColours }: { keepColours: boolean } = { keepColours: false }): string {
  if (!keepColours)
    return text
      .replaceAll(sequences, '')
      .replaceAll(controls, '')
      .replaceAll(/\r(?!\n)/g, '\n');
  const parts = text.split(colours);
  const kept = text.match(colours) ?? [];
  return parts.map((part, at) => cleanText(part) + (kept[at] ?? '')).join('');
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
