/** Ways to set off text on a terminal; without colour each returns the text as it is. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

/** Select Graphic Rendition codes (ECMA-48) that switch each way on and off. */
const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

export function styleFor(isColour: boolean): Style {
  const way =
    (name: keyof typeof codes) =>
    (text: string): string =>
      isColour && text !== '' ? `\x1b[${codes[name][0]}m${text}\x1b[${codes[name][1]}m` : text;
  return {
    bold: way('bold'),
    dim: way('dim'),
    red: way('red'),
    green: way('green'),
    yellow: way('yellow'),
    cyan: way('cyan'),
  };
}
