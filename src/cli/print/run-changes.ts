import type { Attempt, Run, RunStep } from '../../contract/run.ts';
import { oneLine } from '../clean-text.ts';
import type { Page } from '../terminal.ts';
import { duration, joinFilled, money } from './figures.ts';
import { isFinal, signed } from './states.ts';

/**
 * What a person who watches a run is told since the last look: steps that began or ended, tries that failed, its end.
 */
export function changesBetween(before: Run | undefined, after: Run, page: Page): string {
  const head = before === undefined ? `${page.style.bold(`${after.workspace}/${after.number}`)} ${after.state}\n` : '';
  const steps = after.steps.map((step) =>
    stepChange(
      before?.steps.find(({ name }) => name === step.name),
      step,
      page,
    ),
  );
  return head + steps.join('') + (before?.state === after.state ? '' : runEnd(after, page));
}

function stepChange(before: RunStep | undefined, after: RunStep, page: Page): string {
  const tries = after.attempts.map((attempt) => triedAgain(before, after, attempt, page)).join('');
  if (before?.state === after.state || after.state === 'waiting') return tries;
  const last = after.attempts.at(-1);
  const sign = signed(after.state, after.name, page.style);
  switch (after.state) {
    case 'running':
      return `${tries}${sign} ${after.title === after.name ? '' : oneLine(after.title, 80)}\n`;
    case 'passed':
    case 'failed':
    case 'skipped':
    case 'asking':
      return `${tries}${sign} ${joinFilled([after.state, figuresOf(last), oneLine(wordsOf(last), 300)])}\n`;
  }
}

/** A try that ended while another one followed; the last try's end is the step's. */
function triedAgain(before: RunStep | undefined, after: RunStep, attempt: Attempt, page: Page): string {
  const isLast = attempt.number === after.attempts.at(-1)?.number;
  const seen = before?.attempts.find(({ number }) => number === attempt.number);
  const wasSaid = seen !== undefined && seen.number !== before?.attempts.at(-1)?.number;
  if (isLast || wasSaid) return '';
  const words = `attempt ${attempt.number} ${attempt.state}: ${oneLine(wordsOf(attempt), 300)}`;
  return `${signed(attempt.state, after.name, page.style)} ${words}\n`;
}

function figuresOf(attempt: Attempt | undefined): string {
  if (attempt === undefined) return '';
  const { startedAtMs, endedAtMs, usage } = attempt;
  return joinFilled([endedAtMs === null ? '' : duration(endedAtMs - startedAtMs), money(usage?.costUsd ?? 0)]);
}

const wordsOf = (attempt: Attempt | undefined): string => attempt?.reason?.sentence ?? attempt?.result?.summary ?? '';

function runEnd(run: Run, page: Page): string {
  const name = `${run.workspace}/${run.number}`;
  if (run.state === 'waiting') {
    const asks = signed('asking', `${name} waits for you`, page.style);
    return `${asks}: \`takt run approve ${name}\` or \`takt run reject ${name}\` decides.\n`;
  }
  if (!isFinal(run.state)) return '';
  const tookMs = run.startedAtMs === null || run.endedAtMs === null ? null : run.endedAtMs - run.startedAtMs;
  const took = tookMs === null ? '' : `after ${duration(tookMs)}`;
  const facts = joinFilled([took, money(run.costUsd), oneLine(run.reason?.sentence ?? '', 300)]);
  const more = run.state === 'passed' ? '' : `  \`takt run show ${name}\` says more.\n`;
  return `${signed(run.state, `${name} ${run.state}`, page.style)} ${facts}\n${more}`;
}
