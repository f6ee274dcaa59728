import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';

/** A rule of the house: the lines of one file that break it, and what to do about them. */
interface Rule {
  readonly name: string;
  readonly advice: string;
  readonly breaks: (text: string, file: string) => string[];
}

const PROJECT = join(import.meta.dirname, '..');
const LINE_LIMIT = 300;

const emptyNames = ['util', 'utils', 'helper', 'helpers', 'manager', 'managers', 'misc', 'common', 'types'];

/** Files that the project holds or is about to hold: tracked, or new and not ignored. */
const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: PROJECT })
  .toString()
  .split('\0')
  .filter((file) => file !== '' && existsSync(join(PROJECT, file)));
// This file holds a sample of everything that it forbids.
const code = files.filter(
  (file) =>
    /^(src|scripts|bench|test|surfaces)\/.*\.(ts|tsx|js)$/.test(file) &&
    !file.includes('/fixtures/') &&
    file !== 'test/tidy.test.ts',
);

const rules: readonly Rule[] = [
  {
    name: `a source file has at most ${LINE_LIMIT} lines`,
    advice: 'Split the file where its second idea begins.',
    breaks: (text) => {
      const count = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
      return count > LINE_LIMIT ? [`${count} lines`] : [];
    },
  },
  {
    name: 'files and folders are named in kebab-case',
    advice: 'Rename it: small letters, digits and dashes.',
    breaks: (_text, file) =>
      file.split('/').every((part) => /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config))?(\.(ts|tsx|js|d\.ts))?$/.test(part))
        ? []
        : ['the name'],
  },
  {
    name: 'a file or type is named after what it is',
    advice: 'Names such as util, helper, manager, misc, common, base and types say nothing: name the idea.',
    breaks: (text, file) => {
      const typeNames = [...text.matchAll(/^(?:export )?(?:abstract )?(?:class|interface|type) (\w+)/gm)].map(
        ([, name]) => name!,
      );
      const stem = basename(file).split('.')[0]!;
      return [stem, ...typeNames].filter((name) => {
        const words = name
          .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
          .toLowerCase()
          .split('-');
        return name.toLowerCase() === 'base' || words.some((word) => emptyNames.includes(word));
      });
    },
  },
  {
    name: 'nothing is exported by default',
    advice: 'Export it by its name.',
    // The test runner takes a reporter by its default export, and so do some tools their configuration.
    breaks: (text, file) =>
      file === 'scripts/test-reporter.js' || /\.config\.(ts|js)$/.test(file)
        ? []
        : linesWith(text, /^export default\b|\bas default\b/),
  },
  {
    name: 'no file only hands on what others export',
    advice: 'Import from the file that declares the thing.',
    breaks: (_text, file) => (/^index\.(ts|tsx|js)$/.test(basename(file)) ? ['a barrel by its name'] : []),
  },
  {
    name: 'there are no enums',
    advice: 'Use a union of strings, or z.enum.',
    breaks: (text) => linesWith(text, /^\s*(export\s+)?(declare\s+)?(const\s+)?enum\s+\w/),
  },
  {
    name: 'nothing is left for later in a comment',
    advice: 'Do it now, or leave it out.',
    breaks: (text) => linesWith(text, /\b(TODO|FIXME|XXX)\b/),
  },
  {
    name: 'a test is skipped only with a reason',
    advice: "Say why: `{ skip: 'no KVM here' }`, and remove `only` before you are done.",
    breaks: (text, file) =>
      file.endsWith('.test.ts')
        ? linesWith(text, /\b(test|it|describe|suite)\.(skip|only|todo)\(|\b(skip|only|todo): true\b|\.(skip|todo)\(\)/)
        : [],
  },
  {
    name: 'no error is swallowed without a word',
    advice: 'Handle it, or say in a comment why it may be passed over.',
    breaks: (text) => linesWith(text, /catch\s*(\([^)]*\))?\s*\{\s*\}|\.catch\(\s*\(\w*\)\s*=>\s*\{\s*\}\s*\)/),
  },
];

for (const rule of rules) {
  test(rule.name, () => {
    const broken = code.flatMap((file) => rule.breaks(read(file), file).map((what) => `${file}: ${what}`));

    assert.deepEqual(broken, [], `${rule.advice}\n${broken.join('\n')}`);
  });
}

test('each rule finds what it forbids', () => {
  const samples: [rule: string, text: string, file: string][] = [
    ['at most', 'x\n'.repeat(LINE_LIMIT + 1), 'src/a.ts'],
    ['kebab-case', '', 'src/git/rootRepo.ts'],
    ['after what it is', '', 'src/git/git-utils.ts'],
    ['after what it is', 'export class RunManager {}', 'src/git/a.ts'],
    ['by default', 'export default 1;', 'src/a.ts'],
    ['hands on', '', 'src/git/index.ts'],
    ['enums', 'export const enum Color {', 'src/a.ts'],
    ['for later', '// TODO: more', 'src/a.ts'],
    ['skipped only', "test.skip('x', () => {});", 'test/a.test.ts'],
    ['without a word', 'try { x(); } catch (error) {\n}', 'src/a.ts'],
    ['without a word', 'void x().catch(() => {});', 'src/a.ts'],
  ];

  const missed = samples.filter(
    ([name, text, file]) => rules.find((rule) => rule.name.includes(name))!.breaks(text, file).length === 0,
  );

  assert.deepEqual(missed, []);
});

test('the lock file names no download addresses', () => {
  const lines = linesWith(read('package-lock.json'), /"resolved"\s*:/);

  assert.deepEqual(lines, [], 'Run `npm install --package-lock-only`: .npmrc leaves the addresses out.');
});

test('no file names a place on the machine where it was written', () => {
  const examples = ['you', 'me', 'user', 'name', 'dev', 'ada', 'agent', 'takt'];
  const broken = files.flatMap((file) => {
    const text = read(file);
    const homes = [...text.matchAll(/(?<![\w.~})$/-])\/(?:home|Users)\/([a-z][\w.-]*)/g)].filter(
      ([, name]) => !examples.includes(name!),
    );
    const isHere = isPlaceOfItsOwn(PROJECT) && text.includes(PROJECT);
    return [...homes.map(([place]) => `${file}: ${place}`), ...(isHere ? [`${file}: ${PROJECT}`] : [])];
  });

  assert.deepEqual(broken, [], `Use a relative path, a temporary folder or \`~\`.\n${broken.join('\n')}`);
});

/** A checkout in a folder that every machine has, such as /usr/src, says nothing about whoever works there. */
function isPlaceOfItsOwn(folder: string): boolean {
  return folder.split('/').length > 2 && !/^\/(usr|opt|tmp|var|srv|mnt)\//.test(folder);
}

/** The places where a pattern occurs, as `line 3: the text`; the pattern may reach over several lines. */
function linesWith(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(new RegExp(pattern.source, 'gm'))].map((match) => {
    const number = text.slice(0, match.index).split('\n').length;
    return `line ${number}: ${match[0].trim().split('\n')[0]}`;
  });
}

function read(file: string): string {
  return readFileSync(join(PROJECT, file), 'utf8');
}
