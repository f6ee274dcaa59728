import { oneLine } from '../../cli/clean-text.ts';
import { counted } from '../../cli/print/figures.ts';
import type { Page } from '../../cli/terminal.ts';
import type { CheckResult, CheckState } from './check.ts';
import type { Repaired } from './repair-all.ts';

/** What `--json` prints of one check. */
export function checkReport({ name, state, found, fix, repair }: CheckResult, repaired: readonly Repaired[]): object {
  const { did, failed } = repaired.find((each) => each.name === name) ?? { did: null, failed: null };
  return {
    name,
    state,
    found,
    fix: failed === null ? fix : `It could not be mended: ${failed} ${fix}`.trimEnd(),
    isFixable: repair !== undefined,
    ...(did === null ? {} : { fixed: did }),
  };
}

const signs: Record<CheckState, string> = { ok: '✓', warning: '!', broken: '✗', absent: '-' };
const WORDS_LIMIT = 2_000;

/** One line a check, below it what was done or is to be done, and at last how takt stands. */
export function resultsText(results: readonly CheckResult[], repaired: readonly Repaired[], { style }: Page): string {
  const paints = { ok: style.green, warning: style.yellow, broken: style.red, absent: style.dim };
  const width = Math.max(...results.map(({ name }) => name.length));
  const below = (text: string): string => `    ${' '.repeat(width)}${oneLine(text, WORDS_LIMIT)}\n`;
  const lines = results.map(({ name, state, found, fix }) => {
    const done = repaired.find((each) => each.name === name);
    const parts = [
      `${paints[state](signs[state])} ${style.bold(name.padEnd(width))}  ${oneLine(found, WORDS_LIMIT)}\n`,
      typeof done?.did === 'string' ? style.green(below(`Mended: ${done.did}.`)) : '',
      typeof done?.failed === 'string' ? style.red(below(`It could not be mended: ${done.failed}`)) : '',
      fix === '' ? '' : below(fix),
    ];
    return parts.join('');
  });
  return `${lines.join('')}\n${endOf(results)}\n`;
}

function endOf(results: readonly CheckResult[]): string {
  const broken = results.filter(({ state }) => state === 'broken').length;
  const warned = results.filter(({ state }) => state === 'warning').length;
  const fixable = results.filter(({ repair }) => repair !== undefined).length;
  const mends = fixable === 0 ? '' : ` \`takt doctor --fix\` mends ${counted(fixable, 'finding')}.`;
  if (broken > 0) return `${broken} to mend before takt works.${mends}`;
  return warned > 0 ? `takt works; ${warned} to look at.${mends}` : 'All is well.';
}
