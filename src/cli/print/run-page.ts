import type { Attempt, Run, RunRepo, RunStep } from '../../contract/run.ts';
import { cleanText, oneLine } from '../clean-text.ts';
import type { Page } from '../terminal.ts';
import { ago, duration, joinFilled, money, shortCommit } from './figures.ts';
import { signed } from './states.ts';
import { renderFacts, renderTable } from './table.ts';

/** A run in full: what happened in each step, why it ended, where its work is and what goes on from there. */
export function printRun(run: Run, page: Page): string {
  const parts = [
    headOf(run, page),
    reposOf(run, page),
    ...run.steps.map((step) => stepLines(step, page)),
    endOf(run, page),
  ];
  return parts.join('');
}

function headOf(run: Run, page: Page): string {
  const { style, nowMs } = page;
  const shown = run.state === 'waiting' ? 'asking' : run.state;
  const took =
    run.startedAtMs === null
      ? ''
      : ` ${run.endedAtMs === null ? 'for' : 'after'} ${duration((run.endedAtMs ?? nowMs) - run.startedAtMs)}`;
  const state = run.state === 'waiting' ? 'waits for you' : run.state;
  const facts = renderFacts(
    [
      ['id', run.id],
      ['started by', `${run.trigger}, ${ago(run.queuedAtMs, nowMs)}`],
      ['note', oneLine(run.note ?? '')],
      ['reason', run.reason === null ? '' : style.red(oneLine(run.reason.sentence, 1000))],
      ['held up', run.heldUp === undefined ? '' : style.red(oneLine(run.heldUp, 1000))],
      ['superseded by', run.supersededBy === null ? '' : `${run.workspace}/${run.supersededBy}`],
      ['landed', landedWords(run)],
      ['cost', money(run.costUsd)],
      ['folder', run.folder ?? ''],
    ],
    page,
    '  ',
  );
  return `${style.bold(`${run.workspace}/${run.number}`)}  ${signed(shown, state, style)}${took}\n${facts}`;
}

function reposOf(run: Run, page: Page): string {
  if (run.repos.length === 0) return '';
  const columns = [{ title: 'REPO' }, { title: 'START' }, { title: 'NOW' }, { title: 'ON THE BRANCH' }];
  const rows = run.repos.map(({ repo, role, start, head, landed }) => [
    role === 'read' ? `${repo} (read)` : repo,
    shortCommit(start),
    head === start ? 'no commit' : shortCommit(head),
    head === start ? '' : landed === head ? 'yes' : landed === null ? 'no' : `up to ${shortCommit(landed)}`,
  ]);
  return `\n${renderTable(columns, rows, page)}\n`;
}

const notLandedWords: Readonly<Record<NonNullable<RunRepo['notLanded']>, string>> = {
  'pushed-over': 'the branch moved meanwhile, by a push or a pull; `takt run land` merges it',
  'branch-deleted': 'the branch was deleted',
  rewritten: 'the run rewrote commits that it began with, and a branch only moves forward',
  'pushed-by-hand': 'the branch holds it by now, from a push',
};

function landedWords({ landing, repos }: Run): string {
  if (landing !== 'part') return landing === 'none' ? '' : landing;
  const whys = repos.flatMap(({ repo, notLanded }) =>
    notLanded === undefined ? [] : [`${repo}: ${notLandedWords[notLanded]}`],
  );
  const hasSome = repos.some(({ start, head, landed }) => head !== start && landed !== null);
  return [hasSome ? 'part' : 'nothing', ...whys].join('; ');
}

function stepLines(step: RunStep, page: Page): string {
  const { style } = page;
  const last = step.attempts.at(-1);
  const sign = signed(step.state, style.bold(step.name), style);
  const parts = [
    step.state,
    step.title === step.name ? '' : oneLine(step.title, 60),
    last === undefined ? '' : figuresOf(last, page.nowMs),
  ];
  const attempts =
    step.attempts.length > 1 || (last !== undefined && hasMore(last))
      ? step.attempts.map((attempt) => attemptLines(attempt, step, page))
      : [];
  return `${sign}  ${joinFilled(parts)}\n${attempts.join('')}`;
}

function hasMore({ reason, result, confinement }: Attempt): boolean {
  return reason !== null || result !== null || confinement?.filesystem === 'none';
}

function figuresOf({ startedAtMs, endedAtMs, usage }: Attempt, nowMs: number): string {
  const cost = usage === null ? '' : money(usage.costUsd);
  return `${duration((endedAtMs ?? nowMs) - startedAtMs)}${cost === '' ? '' : `, ${cost}`}`;
}

function attemptLines(attempt: Attempt, step: RunStep, page: Page): string {
  const { style } = page;
  // Its command and its result are takt's own, and say nothing about the step.
  if (attempt.isSalvage === true) return `    attempt ${attempt.number}: took out what the one before it had left\n`;
  const lines: string[] = [];
  if (step.attempts.length > 1)
    lines.push(`attempt ${attempt.number}: ${attempt.state}, ${figuresOf(attempt, page.nowMs)}`);
  if (attempt.reason !== null)
    lines.push(style.red(`${oneLine(attempt.reason.sentence, 1000)} (${attempt.reason.class})`));
  if (attempt.result !== null) lines.push(oneLine(attempt.result.summary, 1000));
  for (const finding of attempt.result?.findings ?? []) {
    const place = [finding.repo, finding.file, finding.line].filter((part) => part !== undefined).join(':');
    lines.push(`${finding.severity}: ${oneLine(finding.message, 500)}${place === '' ? '' : ` (${oneLine(place)})`}`);
  }
  if (attempt.confinement?.filesystem === 'none')
    lines.push(style.yellow('was not confined: its rules were a guard rail only'));
  return lines.map((line) => `    ${line}\n`).join('');
}

const pinWords: Readonly<Record<Run['pins'][number]['what'], string>> = {
  head: 'commits',
  leftover: 'uncommitted work',
  others: 'other branches and stashes',
};

function endOf(run: Run, page: Page): string {
  const { style } = page;
  const lastLines = run.lastLines.map((line) => `  ${style.dim('|')} ${cleanText(line)}\n`).join('');
  const pins = run.pins.map(
    ({ repo, ref, commit, what, step, look, take }) =>
      `  ${repo} ${shortCommit(commit)}  ${pinWords[what]} of ${step}: ${ref}\n` +
      (look === undefined ? '' : `    to see it:   ${cleanText(look)}\n`) +
      (take === undefined ? '' : `    to fetch it: ${cleanText(take)}\n`),
  );
  const resume = run.steps
    .flatMap(({ attempts }) => attempts)
    .findLast(({ resumeCommand }) => resumeCommand !== null)?.resumeCommand;
  return [
    lastLines === '' ? '' : `\nthe last lines\n${lastLines}`,
    pins.length === 0 ? '' : `\nwork that is not on the branch\n${pins.join('')}`,
    resume === undefined || resume === null ? '' : `\nto open the agent’s session\n  ${cleanText(resume)}\n`,
    nextOf(run),
  ].join('');
}

/** What somebody would want to do now. */
function nextOf(run: Run): string {
  const name = `${run.workspace}/${run.number}`;
  switch (run.state) {
    case 'waiting':
      return `\n\`takt run diff ${name}\` shows its changes; \`takt run approve ${name}\` or \`takt run reject ${name}\` decides.\n`;
    case 'failed':
    case 'cancelled':
      return `\n\`takt run retry ${name}\` goes on from the step that stopped it.\n`;
    case 'superseded':
      return canLand(run) ? `\n\`takt run land ${name}\` takes its commits in.\n` : '';
    case 'passed':
      return canLand(run) ? `\n\`takt run land ${name}\` merges the commits that did not land.\n` : '';
    case 'gathering':
    case 'queued':
    case 'running':
    case 'rejected':
      return '';
  }
}

/** True if `takt run land` has something to take in, and a branch to bring it to. */
function canLand({ pins, repos, steps }: Run): boolean {
  const salvages = steps.flatMap(({ attempts }) => attempts).filter(({ isSalvage }) => isSalvage === true);
  return pins.some(
    ({ repo, ref, what }) =>
      what === 'head' &&
      !salvages.some(({ id }) => ref.includes(`/${id}/`)) &&
      repos.some((each) => each.repo === repo && each.role === 'edit' && !isBeyondLanding(each)),
  );
}

const isBeyondLanding = ({ notLanded }: RunRepo): boolean =>
  notLanded === 'branch-deleted' || notLanded === 'pushed-by-hand';
