import type { repoAdd, repoFetch, repoList, repoRemove } from '../../contract/operations/repo.ts';
import type { ReplyOf } from '../../contract/operation.ts';
import type { Repo } from '../../contract/repo.ts';
import { cleanText } from '../clean-text.ts';
import type { Page } from '../terminal.ts';
import { ago, byteSize, shortCommit } from './figures.ts';
import type { Printers } from './print-reply.ts';
import { renderFacts, renderTable } from './table.ts';

export const repoPrinters = {
  'repo.list': printList,
  'repo.show': printRepo,
  'repo.add': (repo: ReplyOf<typeof repoAdd>, page: Page) => `Added ${repo.name}.\n${printRepo(repo, page)}`,
  'repo.fetch': printFetch,
  'repo.remove': ({ removed }: ReplyOf<typeof repoRemove>) => `Removed ${removed}; its upstream is as it was.\n`,
} satisfies Printers;

function printList({ repos }: ReplyOf<typeof repoList>, page: Page): string {
  if (repos.length === 0) return 'No repos yet. `takt repo add NAME UPSTREAM` mirrors one.\n';
  const columns = [
    { title: 'NAME' },
    { title: 'DEFAULT' },
    { title: 'FETCHED' },
    { title: 'WORKSPACES', isElastic: true },
    { title: 'UPSTREAM', isElastic: true },
  ];
  const rows = repos.map((repo) => [
    { text: repo.name, paint: (style: Page['style']) => style.bold },
    repo.defaultBranch,
    fetchCell(repo, page),
    repo.workspaces.join(', '),
    repo.upstream,
  ]);
  const failed = repos.filter(({ fetchFault }) => fetchFault !== null);
  const notes = failed.map(({ name, fetchFault }) => `\n${page.style.red(name)}: ${cleanText(fetchFault!.message)}`);
  return `${renderTable(columns, rows, page)}${notes.join('')}${notes.length > 0 ? '\n' : ''}`;
}

function fetchCell(
  { fetchFault, fetchedAtMs }: Pick<Repo, 'fetchFault' | 'fetchedAtMs'>,
  { nowMs }: Page,
): { text: string; paint?: (style: Page['style']) => (text: string) => string } {
  const text = ago(fetchedAtMs, nowMs);
  return fetchFault === null ? { text } : { text: `failed (${text})`, paint: (style) => style.red };
}

function printRepo(repo: Repo, page: Page): string {
  const { style } = page;
  const facts = renderFacts(
    [
      ['upstream', cleanText(repo.upstream)],
      ['pushed to', cleanText(repo.pushUrl ?? '')],
      ['folder', repo.folder],
      ['default branch', `${repo.defaultBranch}${repo.head === null ? '' : ` at ${shortCommit(repo.head)}`}`],
      ['fetched', ago(repo.fetchedAtMs, page.nowMs)],
      ['last fetch', repo.fetchFault === null ? '' : style.red(cleanText(repo.fetchFault.message))],
      ['size', byteSize(repo.sizeBytes)],
      ['needs', repo.dependsOn.join(', ')],
      ['setup', repo.setup ?? ''],
      ['copy', repo.copy.join(', ')],
      ['cache', repo.cache.join(', ')],
      ['workspaces', repo.workspaces.join(', ') || 'none'],
    ],
    page,
    '  ',
  );
  const branches = repo.branches
    .map(({ name, commit }) => `  ${style.dim(shortCommit(commit))}  ${cleanText(name)}\n`)
    .join('');
  const notices = repo.notices.map((notice) => `${style.yellow('note')} ${cleanText(notice)}\n`).join('');
  return `${style.bold(repo.name)}\n${facts}${branches === '' ? '' : `\nbranches\n${branches}`}${notices === '' ? '' : `\n${notices}`}`;
}

function printFetch({ results }: ReplyOf<typeof repoFetch>, { style }: Page): string {
  if (results.length === 0) return 'No repos to fetch. `takt repo add NAME UPSTREAM` mirrors one.\n';
  return results
    .map(({ repo, changed, fault }) => {
      if (fault !== null)
        return `${style.red('✗')} ${style.bold(repo)}: ${cleanText(fault.message)}\n    ${cleanText(fault.hint)}\n`;
      return `${style.green('✓')} ${style.bold(repo)}: ${changed === 0 ? 'nothing new' : `${changed} branches changed`}\n`;
    })
    .join('');
}
