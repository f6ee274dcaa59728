import type { GithubPlace } from '../contract/pull-request.ts';

/** A pull request as its siblings name it. */
export interface Sibling {
  readonly repo: string;
  readonly place: GithubPlace;
  readonly number: number;
  readonly url: string;
  readonly isMerged: boolean;
}

/** Where a text leaves room for the links, until all pull requests have their numbers. */
export const LINKS_PLACE = '<!-- takt:links -->';

const END = '<!-- takt:end -->';
const BEGIN_MARK = /<!-- takt:begin title=(\S*) -->/g;

/** How a repository is called in words. */
export const nameOf = ({ host, owner, name }: GithubPlace): string =>
  host === 'github.com' ? `${owner}/${name}` : `${host}/${owner}/${name}`;

/** A text from elsewhere as part of takt's own: it cannot hold what takt finds its part by. */
export const withoutMarks = (text: string): string => text.replaceAll('<!-- takt:', '<!-- takt\u200b:');

/**
 * The text of one pull request with the links to its siblings, which are in the order in which they are to be merged. A
 * pull request that has no siblings has no such part.
 */
export function withLinks(text: string, siblings: readonly Sibling[], own: string): string {
  return text
    .replaceAll(LINKS_PLACE, linksPart(siblings, own))
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}

function linksPart(siblings: readonly Sibling[], own: string): string {
  if (siblings.length < 2) return '';
  const host = siblings.find(({ repo }) => repo === own)?.place.host;
  const lines = siblings.map(({ place, number, url, repo, isMerged }, index) => {
    // GitHub makes a link of the short form, but only within one host.
    const name =
      place.host === host ? `${place.owner}/${place.name}#${number}` : `[${nameOf(place)}#${number}](${url})`;
    return `${index + 1}. ${repo === own ? `**${name}** (this one)` : name}${isMerged ? ', merged' : ''}`;
  });
  return [
    '## Merge order',
    '',
    `This is one of ${siblings.length} pull requests of one change. Merge them in this order:`,
    '',
    ...lines,
  ].join('\n');
}

/**
 * The body of a pull request with takt's part in it brought up to date; what people wrote above and below stays. The
 * part remembers the title that takt gave, so that a title which a person changed is told from takt's own.
 */
export function mergedBody(current: string | null, text: string, title: string): string {
  const part = `<!-- takt:begin title=${encodeURIComponent(title.toWellFormed())} -->\n${text.toWellFormed()}\n${END}`;
  const now = (current ?? '').replaceAll('\r\n', '\n');
  const own = ownPart(now);
  if (own !== undefined) return `${now.slice(0, own.from)}${part}${now.slice(own.to)}`;
  return now.trim() === '' ? part : `${now.trimEnd()}\n\n${part}`;
}

/** The title that takt gave a pull request; undefined if it gave none. */
export function titleGiven(body: string | null): string | undefined {
  const own = ownPart(body ?? '');
  try {
    return own === undefined ? undefined : decodeURIComponent(own.title);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** The last mark of a beginning that has its end behind it. A part whose end somebody took away is theirs. */
function ownPart(body: string): { from: number; to: number; title: string } | undefined {
  const begins = [...body.matchAll(BEGIN_MARK)];
  for (const [index, begin] of begins.toReversed().entries()) {
    const next = index === 0 ? body.length : begins[begins.length - index]!.index;
    const end = body.indexOf(END, begin.index);
    if (end !== -1 && end < next) return { from: begin.index, to: end + END.length, title: begin[1]! };
  }
  return undefined;
}
