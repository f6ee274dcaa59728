import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const PROJECT = join(import.meta.dirname, '..');
const pages = globSync(['*.md', 'docs/**/*.md', 'templates/**/*.md', 'context/**/*.md'], { cwd: PROJECT });

test('links in the documentation lead somewhere', () => {
  const broken = pages.flatMap((page) =>
    linksIn(read(page))
      .filter((link) => !leadsSomewhere(page, link))
      .map((link) => `${page}: ${link}`),
  );

  assert.deepEqual(broken, [], `Mend these links, or write the page.\n${broken.join('\n')}`);
});

test('a link to nowhere is found', () => {
  const links = linksIn('See [this](nowhere.md), [that](STYLE.md#no-such-heading) and [them](STYLE.md).\n');

  assert.deepEqual(
    links.map((link) => leadsSomewhere('docs/a.md', link)),
    [false, false, true],
  );
});

test('the packages that CI installs are those on their page', () => {
  const installed = /packages=\(([^)]*)\)/.exec(read('.ci/run'))![1]!.trim().split(/\s+/);
  const described = [...read('docs/debian-packages.md').matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name);

  assert.deepEqual(installed, described);
});

/** The links to files and headings of this project; what is in code is not a link. */
function linksIn(page: string): string[] {
  const prose = page.replaceAll(/```[\s\S]*?```/g, '').replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!).filter((link) => !/^[a-z]+:/.test(link));
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', heading] = link.split('#');
  const target = path === '' ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(PROJECT, target))) return false;
  return heading === undefined || headingsOf(read(target)).includes(heading);
}

/** Headings as they are linked to: small letters, dashes for spaces, no other signs. */
function headingsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map(([, words]) =>
    words!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function read(file: string): string {
  return readFileSync(join(PROJECT, file), 'utf8');
}
