import { renderTemplate } from '../../agents/template.ts';
import type { StageResult } from '../../contract/stage-result.ts';
import { LINKS_PLACE, withoutMarks } from '../../github/pull-text.ts';

/** What the title and the text of one pull request are made from. */
export interface PullFacts {
  readonly workspace: string;
  readonly repo: string;
  readonly task: string | null;
  /** First lines of the repo's commits, newest first, without their ids. */
  readonly subjects: readonly string[];
  readonly commits: number;
  readonly results: readonly { readonly step: string; readonly result: StageResult }[];
}

const TITLE_CHARS = 200;
const TEXT_CHARS = 50_000;
const SUMMARY_CHARS = 1_500;

/**
 * Fills in `templates/pull_request.md`: its first line is the title, the rest the text, in which the links to the other
 * pull requests are left open. Fault CONFIG_INVALID on a placeholder that is not known.
 */
export function pullTexts(template: string, facts: PullFacts): { title: string; text: string } {
  const [, ...more] = (facts.task ?? '').split('\n');
  const values = {
    workspace: facts.workspace,
    repo: facts.repo,
    title: titleOf(facts),
    task: withoutMarks(more.join('\n').trim()),
    commits: commitLines(facts),
    results: facts.results.length === 0 ? 'No step said anything.' : facts.results.map(resultLine).join('\n'),
    pull_requests: LINKS_PLACE,
  };
  const rendered = renderTemplate(template, values, 'templates/pull_request.md');
  const [first = '', ...rest] = rendered.trim().split('\n');
  const title = first
    .replace(/^#+\s*/, '')
    .trim()
    .slice(0, TITLE_CHARS);
  return { title: title === '' ? values.title : title, text: cutText(rest.join('\n').trim()) };
}

/** The task's first line; without a task the only commit's, or else the workspace's name in words. */
function titleOf({ task, subjects, commits, workspace }: PullFacts): string {
  const first =
    task
      ?.split('\n')[0]
      ?.replace(/^#+\s*/, '')
      .trim() ?? '';
  if (first !== '') return cut(first, TITLE_CHARS);
  if (commits === 1 && subjects[0] !== undefined && subjects[0] !== '') return cut(subjects[0], TITLE_CHARS);
  const words = workspace.replaceAll(/[-_.]+/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function commitLines({ subjects, commits }: PullFacts): string {
  const lines = subjects.map((subject) => `- ${quiet(subject)}`);
  return [...lines, ...(commits > subjects.length ? [`- … and ${commits - subjects.length} more`] : [])].join('\n');
}

/** As a quotation, which ends whatever the words leave open, such as a block of code. */
function resultLine({ step, result }: PullFacts['results'][number]): string {
  const findings = result.findings.length === 0 ? '' : ` (${result.findings.length} findings)`;
  const lines = quiet(cut(result.summary.trim(), SUMMARY_CHARS)).split(/\r\n|[\r\n]/);
  return [`- **${step}**: ${result.verdict}${findings}`, ...lines.map((line) => `  > ${line}`)].join('\n');
}

/**
 * Words of agents are shown and do nothing on GitHub: it tells whoever is named after an @, closes what is named after
 * words such as "fixes", and takes HTML.
 */
const quiet = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/@(?=[A-Za-z0-9])/g, '@\u200b')
    .replaceAll(/\b(close[sd]?|fix(?:e[sd])?|resolve[sd]?)(?=:?\s)/gi, '$1\u200b');

/** No letter is cut in two. */
const cut = (text: string, chars: number): string =>
  text
    .toWellFormed()
    .slice(0, chars)
    .replace(/[\uD800-\uDBFF]$/, '');

/** The links are kept, whatever is cut before them. */
function cutText(text: string): string {
  if (text.length <= TEXT_CHARS) return text;
  const short = `${cut(text, TEXT_CHARS)}\n\n… (cut)`;
  return short.includes(LINKS_PLACE) || !text.includes(LINKS_PLACE) ? short : `${short}\n\n${LINKS_PLACE}`;
}
