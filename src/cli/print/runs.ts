import type { ReplyOf } from '../../contract/operation.ts';
import type { runApprove, runDiff, runLand, runList, runRetry } from '../../contract/operations/run.ts';
import type { RunState } from '../../contract/run.ts';
import { cleanText, oneLine } from '../clean-text.ts';
import type { Page } from '../terminal.ts';
import { ago, counted, duration, money, shortCommit } from './figures.ts';
import type { Printers } from './print-reply.ts';
import { printRun } from './run-page.ts';
import { paintOf, signOf } from './states.ts';
import { renderTable } from './table.ts';

export const runPrinters = {
  'run.list': printList,
  'run.show': printRun,
  'run.diff': printDiff,
  'run.cancel': printCancelled,
  'run.retry': printRetried,
  'run.approve': printAfterwards,
  'run.reject': printAfterwards,
  'run.land': printLanded,
} satisfies Printers;

function printList({ runs }: ReplyOf<typeof runList>, page: Page): string {
  if (runs.length === 0)
    return 'No runs yet. A push to a workspace with a pipeline starts one, and so does `takt workspace trigger NAME`.\n';
  const columns = [
    { title: 'RUN' },
    { title: 'STATE' },
    { title: 'STARTED BY' },
    { title: 'QUEUED' },
    { title: 'TOOK' },
    { title: 'COST' },
    { title: 'STEP OR REASON', isElastic: true },
  ];
  const rows = runs.map((run) => {
    const shown = run.state === 'waiting' ? 'asking' : run.state;
    return [
      { text: `${run.workspace}/${run.number}`, paint: (style: Page['style']) => style.bold },
      { text: `${signOf(shown)} ${run.state}`, paint: paintOf(shown) },
      run.trigger,
      ago(run.queuedAtMs, page.nowMs),
      run.startedAtMs === null ? '' : duration((run.endedAtMs ?? page.nowMs) - run.startedAtMs),
      money(run.costUsd),
      oneLine(run.reason?.sentence ?? run.currentStep ?? ''),
    ];
  });
  return renderTable(columns, rows, page);
}

const afterwardsWords: Record<RunState, string> = {
  gathering: 'gathers pushes',
  queued: 'is queued',
  running: 'goes on',
  waiting: 'waits for an approval',
  passed: 'passed',
  failed: 'failed',
  cancelled: 'is cancelled',
  superseded: 'is superseded',
  rejected: 'is rejected',
};

function printAfterwards({ workspace, number, state }: ReplyOf<typeof runApprove>): string {
  return `Run ${workspace}/${number} ${afterwardsWords[state]}.\n`;
}

function printRetried(reply: ReplyOf<typeof runRetry>): string {
  const { workspace, number, waitsFor } = reply;
  if (waitsFor === undefined) return printAfterwards(reply);
  return `Run ${workspace}/${number} is queued; it goes on when ${workspace}/${waitsFor} is over.\n`;
}

/** A step that works gets a moment to end, so that the run may still be running. */
function printCancelled(reply: ReplyOf<typeof runApprove>): string {
  const { workspace, number, state } = reply;
  return state === 'running' ? `Run ${workspace}/${number} is being ended.\n` : printAfterwards(reply);
}

function printLanded({ repos }: ReplyOf<typeof runLand>): string {
  return repos
    .map(({ repo, from, to, how }) =>
      how === 'current'
        ? `${repo}: held it already\n`
        : `${repo}: ${shortCommit(from)} → ${shortCommit(to)} (${how})\n`,
    )
    .join('');
}

/** The patches as git prints them, one repo after the other. */
function printDiff({ repos }: ReplyOf<typeof runDiff>, { style }: Page): string {
  const changed = repos.filter(({ patch, files }) => files > 0 || patch !== '');
  if (changed.length === 0) return 'The run changed nothing.\n';
  return changed
    .map(({ repo, files, insertions, deletions, patch, isCut, pinnedOf }) => {
      const counts = `${counted(files, 'file')}, ${style.green(`+${insertions}`)} ${style.red(`-${deletions}`)}`;
      const cut = isCut ? style.yellow('The patch is longer than what is shown here.\n') : '';
      const of = pinnedOf === undefined ? '' : style.yellow(`; pinned work of ${pinnedOf}, which did not pass`);
      return `${style.bold(`── ${repo}`)}: ${counts}${of}\n${patch
        .split('\n')
        .map((line) => patchLine(line, style))
        .join('\n')}${cut}`;
    })
    .join('\n');
}

function patchLine(line: string, style: Page['style']): string {
  const text = cleanText(line);
  if (/^(diff |index |--- |\+\+\+ )/.test(text)) return style.bold(text);
  if (text.startsWith('@@')) return style.cyan(text);
  if (text.startsWith('+')) return style.green(text);
  return text.startsWith('-') ? style.red(text) : text;
}
