import type { PullComment } from '../../contract/pull-request.ts';
import type { StoredPull } from '../../store/pull-requests.ts';

/** What there is to answer in one pull request. */
export interface PullFeedback {
  readonly pull: StoredPull;
  readonly failing: StoredPull['sight']['checks'];
  readonly comments: readonly PullComment[];
}

const TEXT_CHARS = 60_000;

/** What checks and reviewers say of open pull requests; comments that were answered before only with `all`. */
export function feedbackOf(pulls: readonly StoredPull[], { all }: { all: boolean }): PullFeedback[] {
  return pulls
    .filter(({ sight }) => sight.state === 'open')
    .map((pull) => ({
      pull,
      failing: pull.sight.checks.filter(({ state }) => state === 'failed'),
      comments: pull.sight.comments.filter(({ atMs }) => all || atMs > pull.answeredAtMs),
    }))
    .filter(({ failing, comments }) => failing.length > 0 || comments.length > 0);
}

/** A page for an agent: per repo the failing checks, then what people wrote, the oldest first. */
export function feedbackText(feedback: readonly PullFeedback[]): string {
  const head = '# Feedback on the pull requests\n\nChecks and people said this; it is quoted as it was written.';
  const text = [head, ...feedback.map(pullPart)].join('\n\n');
  return text.length <= TEXT_CHARS
    ? `${text}\n`
    : `${text.slice(0, TEXT_CHARS)}\n\n… (cut; the rest is at the addresses above)\n`;
}

function pullPart({ pull, failing, comments }: PullFeedback): string {
  const { repo, number, url, sight } = pull;
  const review = sight.review === 'changes_requested' ? '\n\nA reviewer asks for changes.' : '';
  return [
    `## ${repo}: pull request ${number}\n\n${url}${review}`,
    ...checksPart(failing),
    ...comments.map(commentPart),
  ].join('\n\n');
}

function checksPart(failing: PullFeedback['failing']): string[] {
  return failing.map(({ name, url, summary }) => {
    const words = summary.trim() === '' ? '' : `\n\n${quoted(summary)}`;
    return `### The check ${oneLine(name)} fails${url === null ? '' : `\n\n${url}`}${words}`;
  });
}

function commentPart({ kind, author, file, line, body, url }: PullComment): string {
  const place = file === null ? '' : ` on ${oneLine(file)}${line === null ? '' : `:${line}`}`;
  const what = kind === 'review' ? 'in a review' : 'in a comment';
  return `### ${oneLine(author)}${place === '' ? ` ${what}` : place}\n\n${url}\n\n${quoted(body)}`;
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();
const quoted = (text: string): string =>
  text
    .trim()
    .split(/\r?\n/)
    .map((each) => `> ${each}`)
    .join('\n');
