import type { BranchChange } from '../../contract/branch-change.ts';
import { oneLine } from '../clean-text.ts';
import type { Page } from '../terminal.ts';
import { counted, shortCommit } from './figures.ts';

const SUBJECT_LIMIT = 100;
const NAME_LIMIT = 200;

/** A line for a branch that changed: time, repo, branch, old → new, what, and what is new. */
export function branchChangeLine(change: BranchChange, { style }: Page): string {
  const { atMs, repo, branch, from, to, commits, subject } = change;
  const paint = { created: style.green, moved: style.cyan, forced: style.yellow, deleted: style.red }[change.change];
  const news = [
    commits === null || commits === 0 ? '' : counted(commits, 'commit'),
    subject === null ? '' : oneLine(subject, SUBJECT_LIMIT),
  ].filter((part) => part !== '');
  const parts = [
    style.dim(localTime(atMs)),
    style.bold(repo),
    oneLine(branch, NAME_LIMIT),
    `${shortCommit(from)} → ${shortCommit(to)}`,
    paint(change.change),
    ...(news.length === 0 ? [] : [news.join(': ')]),
  ];
  return `${parts.join('  ')}\n`;
}

/** `2026-03-01 14:05:09`, in the time zone of whoever reads it. */
export function localTime(atMs: number): string {
  const date = new Date(atMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}
