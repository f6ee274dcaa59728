import { renderTemplate } from '../../agents/template.ts';
import type { StageResult } from '../../contract/stage-result.ts';
import { LINKS_PLACEHOLDER } from '../../github/pull-text.ts';

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
    task: more.join('\n').trim(),
    commits: commitLines(facts),
    results: facts.results.length === 0 ? 'No step said anything.' : facts.results.map(resultLine).join('\n'),
    pull_requests: LINKS_PLACEHOLDER,
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
  if (first !== '') return first.slice(0, TITLE_CHARS);
  if (commits === 1 && subjects[0] !== undefined && subjects[0] !== '') return subjects[0].slice(0, TITLE_CHARS);
  const words = workspace.replaceAll(/[-_.]+/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function commitLines({ subjects, commits }: PullFacts): string {
  const lines = subjects.map((subject) => `- ${quiet(subject)}`);
  return [...lines, ...(commits > subjects.length ? [`- … and ${commits - subjects.length} more`] : [])].join('\n');
}

function resultLine({ step, result }: PullFacts['results'][number]): string {
  const summary = quiet(result.summary.trim()).slice(0, SUMMARY_CHARS);
  const findings = result.findings.length === 0 ? '' : ` (${result.findings.length} findings)`;
  return `- **${step}**: ${result.verdict}${findings}. ${summary.replaceAll('\n', '\n  ')}`;
}

/** Words of agents call nobody: GitHub tells whoever is named after an @. */
const quiet = (text: string): string => text.replaceAll(/@(?=[A-Za-z0-9])/g, '@\u200b');

/** The links are kept, whatever is cut before them. */
function cutText(text: string): string {
  if (text.length <= TEXT_CHARS) return text;
  const cut = `${text.slice(0, TEXT_CHARS)}\n\n… (cut)`;
  return cut.includes(LINKS_PLACEHOLDER) || !text.includes(LINKS_PLACEHOLDER) ? cut : `${cut}\n\n${LINKS_PLACEHOLDER}`;
}
