import type { ReplyOf } from '../../contract/operation.ts';
import type { push } from '../../contract/operations/push.ts';
import { oneLine } from '../clean-text.ts';
import type { Page } from '../terminal.ts';
import { counted, shortCommit } from './figures.ts';
import { renderTable } from './table.ts';

type Plan = ReplyOf<typeof push>;
type RepoPlan = Plan['repos'][number];

/** What would go out, in the order in which it goes, with the subjects of its commits. */
export function pushPlanText({ workspace, branch, repos }: Plan, page: Page): string {
  const { style } = page;
  const outgoing = repos.filter(({ state }) => state === 'to_push');
  if (repos.every(({ state }) => state === 'current' || state === 'unchanged'))
    return `Nothing to push: by the last fetch, upstream has all commits of ${workspace}.\n`;
  const columns = [
    { title: 'REPO' },
    { title: 'WHAT' },
    { title: 'FROM' },
    { title: 'TO' },
    { title: repos.some(isForked) ? 'PUSHED TO' : 'UPSTREAM', isElastic: true },
  ];
  const rows = repos.map((repo) => [
    { text: repo.repo, paint: (of: Page['style']) => of.bold },
    {
      text: whatOf(repo),
      paint: (of: Page['style']) => (repo.state === 'diverged' ? of.red : repo.state === 'to_push' ? of.green : of.dim),
    },
    repo.expected === null ? 'new branch' : shortCommit(repo.expected),
    shortCommit(repo.commit),
    repo.pushUrl,
  ]);
  const subjects = outgoing.map(({ repo, subjects: lines, commits }) => {
    const more = commits > lines.length ? `  … ${commits - lines.length} more\n` : '';
    return `\n${style.bold(repo)}\n${lines.map((line) => `  ${oneLine(line)}\n`).join('')}${more}`;
  });
  const where = outgoing.some(isForked) ? (outgoing.every(isForked) ? 'forks' : 'upstream and forks') : 'upstream';
  return `The branch ${style.bold(branch)} goes to ${where}, in this order:\n\n${renderTable(columns, rows, page)}${subjects.join('')}\n`;
}

const isForked = ({ upstream, pushUrl }: RepoPlan): boolean => pushUrl !== upstream;

function whatOf({ state, commits }: RepoPlan): string {
  switch (state) {
    case 'to_push':
      return counted(commits, 'commit');
    case 'current':
      return 'upstream has it';
    case 'unchanged':
      return 'no change';
    case 'diverged':
      return 'upstream has commits that ours lacks';
  }
}
