import type { GithubPlace } from '../contract/pull-request.ts';
import { nameOf } from './pull-calls.ts';

/** A pull request as its siblings name it. */
export interface Sibling {
  readonly repo: string;
  readonly place: GithubPlace;
  readonly number: number;
  readonly url: string;
}

/** What a text leaves open until all pull requests have their numbers. */
export const LINKS_PLACEHOLDER = '{{pull_requests}}';

const BEGIN = '<!-- takt:begin';
const END = '<!-- takt:end -->';

/**
 * The text of one pull request with the links to its siblings, which are in the order in which they are to be merged. A
 * pull request that has no siblings has no such part.
 */
export function withLinks(text: string, siblings: readonly Sibling[], own: string): string {
  return text
    .replaceAll(LINKS_PLACEHOLDER, linksPart(siblings, own))
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}

function linksPart(siblings: readonly Sibling[], own: string): string {
  if (siblings.length < 2) return '';
  const host = siblings.find(({ repo }) => repo === own)?.place.host;
  const lines = siblings.map((sibling, index) => {
    // GitHub makes a link of the short form, but only within one host.
    const { place, number, url } = sibling;
    const name =
      place.host === host ? `${place.owner}/${place.name}#${number}` : `[${nameOf(place)}#${number}](${url})`;
    return `${index + 1}. ${sibling.repo === own ? `**${name}** (this one)` : name}`;
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
  const part = `${BEGIN} title=${encodeURIComponent(title)} -->\n${text}\n${END}`;
  const now = (current ?? '').replaceAll('\r\n', '\n');
  const from = now.indexOf(BEGIN);
  const to = now.indexOf(END, from);
  if (from === -1 || to === -1) return now.trim() === '' ? part : `${now.trimEnd()}\n\n${part}`;
  return `${now.slice(0, from)}${part}${now.slice(to + END.length)}`;
}

/** The title that takt gave a pull request; undefined if it gave none. */
export function titleGiven(body: string | null): string | undefined {
  const [, title] = /<!-- takt:begin title=(\S*) -->/.exec(body ?? '') ?? [];
  return title === undefined ? undefined : decodeURIComponent(title);
}
