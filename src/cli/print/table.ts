import { stripVTControlCharacters } from 'node:util';
import { cleanText, cutTo } from '../clean-text.ts';
import type { Style } from '../styles.ts';
import type { Page } from '../terminal.ts';

export interface Cell {
  readonly text: string;
  readonly paint?: (style: Style) => (text: string) => string;
}

export interface Column {
  readonly title: string;
  /** May be cut where the terminal is too narrow. */
  readonly isElastic?: boolean;
}

const GAP = '  ';
const NARROWEST = 8;

/** Rows below their titles; without a terminal nothing is cut. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly (Cell | string)[])[],
  page: Page,
): string {
  const cells = rows.map((row) =>
    row.map((cell) => (typeof cell === 'string' ? { text: cleanText(cell) } : { ...cell, text: cleanText(cell.text) })),
  );
  const widths = columnWidths(columns, cells, page.width);
  const line = (row: readonly Cell[], isTitle: boolean): string =>
    row
      .map((cell, at) => fit(cell, isTitle, widths[at]!, at === row.length - 1, page.style))
      .join(GAP)
      .trimEnd();
  const titles = columns.map(({ title }) => ({ text: title }));
  return [line(titles, true), ...cells.map((row) => line(row, false))].map((text) => `${text}\n`).join('');
}

function fit({ text, paint }: Cell, isTitle: boolean, width: number, isLast: boolean, style: Style): string {
  const shown = cutTo(text, width);
  const painted = isTitle ? style.dim(shown) : (paint?.(style)(shown) ?? shown);
  return isLast ? painted : painted + ' '.repeat(Math.max(0, width - lengthOf(shown)));
}

function columnWidths(columns: readonly Column[], rows: readonly (readonly Cell[])[], limit: number | null): number[] {
  const widths = columns.map(({ title }, at) =>
    Math.max(lengthOf(title), ...rows.map((row) => lengthOf(row[at]!.text))),
  );
  const total = (): number => widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
  for (let surplus = limit === null ? 0 : total() - limit; surplus > 0; surplus = total() - limit!) {
    const widest = columns.reduce(
      (found, { isElastic }, at) => (isElastic === true && widths[at]! > (widths[found] ?? 0) ? at : found),
      -1,
    );
    if (widest === -1 || widths[widest]! <= NARROWEST) break;
    widths[widest]! -= 1;
  }
  return widths;
}

const lengthOf = (text: string): number => [...stripVTControlCharacters(text)].length;

/** Names before values, the values below each other; empty values are left out. */
export function renderFacts(
  facts: readonly (readonly [name: string, value: string])[],
  page: Page,
  indent = '',
): string {
  const shown = facts.filter(([, value]) => value !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${indent}${page.style.dim(name.padEnd(width))}${GAP}${value}\n`).join('');
}
