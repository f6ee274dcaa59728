import type { prFeedback, prList, prStatus } from '../../contract/operations/pr.ts';
import type { ReplyOf } from '../../contract/operation.ts';
import type { PullRequest } from '../../contract/pull-request.ts';
import { cleanText, oneLine } from '../clean-text.ts';
import type { Page } from '../terminal.ts';
import { ago, counted, joinFilled } from './figures.ts';
import type { Printers } from './print-reply.ts';
import { renderTable } from './table.ts';

export const pullPrinters = {
  'pr.list': printList,
  'pr.status': printStatus,
  'pr.feedback': ({ workspace, number, failingChecks, comments }: ReplyOf<typeof prFeedback>) =>
    `Started run ${workspace}/${number} on ${counted(failingChecks, 'failing check')} and ${counted(comments, 'comment')}. \`takt run logs ${workspace}/${number} -f\` follows it.\n`,
} satisfies Printers;

function printList({ pulls }: ReplyOf<typeof prList>, page: Page): string {
  if (pulls.length === 0) return 'No pull requests yet. The step create_pr or `takt pr create WORKSPACE` opens them.\n';
  const failed = pulls.filter(({ fault }) => fault !== null);
  const notes = failed.map(
    ({ workspace, repo, fault }) => `\n${workspace}, ${repo}\n${faultLine(fault!, page.style)}\n`,
  );
  return `${pullTable(pulls, page, true)}${notes.join('')}`;
}

function printStatus({ workspace, pulls, isMerged }: ReplyOf<typeof prStatus>, page: Page): string {
  const parts = pulls.map((pull) => pullPart(pull, page)).join('');
  const order = pulls.filter(({ sight }) => sight.state === 'open').map(({ repo }) => repo);
  const end = isMerged
    ? `\nAll are merged: \`takt workspace delete ${workspace}\` removes the workspace, unless other work is left in it.\n`
    : order.length > 1
      ? `\nTo be merged in this order: ${order.join(', ')}.\n`
      : '';
  return `${pullTable(pulls, page, false)}${parts}${end}`;
}

function pullTable(pulls: readonly PullRequest[], page: Page, hasWorkspace: boolean): string {
  const columns = [
    ...(hasWorkspace ? [{ title: 'WORKSPACE' }] : []),
    { title: '#' },
    { title: 'REPO' },
    { title: 'STATE' },
    { title: 'REVIEW' },
    { title: 'CHECKS' },
    { title: 'LOOKED' },
    { title: 'ADDRESS', isElastic: true },
  ];
  const rows = pulls.map((pull) => [
    ...(hasWorkspace ? [pull.workspace] : []),
    String(pull.turn),
    { text: pull.repo, paint: (style: Page['style']) => style.bold },
    {
      text: pull.fault === null ? stateOf(pull) : `${stateOf(pull)}?`,
      paint: (style: Page['style']) => paintOfState(pull, style),
    },
    pull.sight.review === 'none' ? '-' : pull.sight.review.replaceAll('_', ' '),
    checksOf(pull),
    pull.lookedAtMs === null ? 'not yet' : ago(pull.lookedAtMs, page.nowMs),
    pull.url,
  ]);
  return renderTable(columns, rows, page);
}

const stateOf = ({ sight }: PullRequest): string => (sight.state === 'open' && sight.isDraft ? 'draft' : sight.state);

function paintOfState({ sight }: PullRequest, style: Page['style']): (text: string) => string {
  switch (sight.state) {
    case 'open':
      return style.green;
    case 'merged':
      return style.dim;
    case 'closed':
      return style.red;
  }
}

function checksOf({ sight: { checks } }: PullRequest): string {
  if (checks === null) return 'not readable';
  const count = (state: string): number => checks.filter((check) => check.state === state).length;
  const parts = (['failed', 'pending', 'passed'] as const).map((state) =>
    count(state) === 0 ? '' : `${count(state)} ${state}`,
  );
  return joinFilled(parts) || '-';
}

const COMMENTS_SHOWN = 10;

/** What needs an answer: checks that fail, what was written, a look that failed. */
function pullPart({ repo, sight, fault }: PullRequest, { style }: Page): string {
  const failing = (sight.checks ?? []).filter(({ state }) => state === 'failed');
  const shown = sight.comments.slice(-COMMENTS_SHOWN);
  const hidden = sight.comments.length - shown.length;
  const lines = [
    ...(fault === null ? [] : [faultLine(fault, style)]),
    ...failing.map(({ name, url }) => `  ${style.red('fails')} ${oneLine(name)}  ${oneLine(url ?? '')}`.trimEnd()),
    ...(hidden > 0 ? [`  … ${counted(hidden, 'older comment')}`] : []),
    ...shown.map(({ author, file, line, body }) => {
      const place = file === null ? '' : ` on ${oneLine(file)}${line === null ? '' : `:${line}`}`;
      return `  ${style.yellow(oneLine(author))}${place}: ${oneLine(body, 200)}`;
    }),
  ];
  return lines.length === 0 ? '' : `\n${style.bold(repo)}\n${lines.map((line) => `${line}\n`).join('')}`;
}

const faultLine = (fault: NonNullable<PullRequest['fault']>, style: Page['style']): string =>
  `  ${style.red('the last look failed:')} ${cleanText(fault.message)}`;
