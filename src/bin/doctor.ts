import { jsonText, oneLine } from '../cli/clean-text.ts';
import type { LocalCall } from '../cli/local-call.ts';
import type { Page } from '../cli/terminal.ts';
import type { CheckResult, CheckState } from './doctor/check.ts';
import { homeChecks } from './doctor/home-checks.ts';
import { machineChecks } from './doctor/machine-checks.ts';
import { reachChecks } from './doctor/reach-checks.ts';

/**
 * Looks at what takt needs, and says for each thing what was found and how to mend it. Exit code 1 if anything is
 * broken.
 */
export async function doctor(call: LocalCall): Promise<number> {
  const { flags, place, terminal, signal } = call;
  const checks = [...homeChecks(place.layout, signal), ...machineChecks(place.layout, signal), ...reachChecks(call)];
  const results = await Promise.all(checks.map(async (check) => check()));
  const isWorking = results.every(({ state }) => state !== 'broken');
  if (flags.json) await terminal.write(`${jsonText({ isWorking, checks: results }, 2)}\n`);
  else await terminal.write(resultsText(results, terminal.page));
  return isWorking ? 0 : 1;
}

const signs: Record<CheckState, string> = { ok: '✓', warning: '!', broken: '✗', absent: '-' };

function resultsText(results: readonly CheckResult[], { style }: Page): string {
  const paints = { ok: style.green, warning: style.yellow, broken: style.red, absent: style.dim };
  const width = Math.max(...results.map(({ name }) => name.length));
  const lines = results.map(({ name, state, found, fix }) => {
    const advice = fix === '' ? '' : `    ${' '.repeat(width)}${oneLine(fix, 1000)}\n`;
    return `${paints[state](signs[state])} ${style.bold(name.padEnd(width))}  ${oneLine(found, 1000)}\n${advice}`;
  });
  const broken = results.filter(({ state }) => state === 'broken').length;
  const warned = results.filter(({ state }) => state === 'warning').length;
  const end =
    broken > 0
      ? `${broken} to mend before takt works.`
      : warned > 0
        ? `takt works; ${warned} to look at.`
        : 'All is well.';
  return `${lines.join('')}\n${end}\n`;
}
