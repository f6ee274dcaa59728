import assert from 'node:assert/strict';
import test from 'node:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mergedBody, titleGiven, withLinks } from '../../src/github/pull-text.ts';
import { pullTexts } from '../../src/service/runs/pull-texts.ts';

const template = readFileSync(join(import.meta.dirname, '..', '..', 'templates', 'pull_request.md'), 'utf8');
const facts = {
  workspace: 'feature-auth',
  repo: 'app',
  task: null,
  subjects: ['app: one', 'app: two'],
  commits: 2,
  results: [],
};
const sibling = (repo: string, number: number, host = 'github.com') => ({
  repo,
  place: { host, owner: 'acme', name: repo },
  number,
  url: `https://${host}/acme/${repo}/pull/${number}`,
  isMerged: false,
});

test('the title is the task’s first line, else the only commit, else the name in words', () => {
  const titles = [
    pullTexts(template, { ...facts, task: '# Log in\n\nMore.' }).title,
    pullTexts(template, { ...facts, subjects: ['app: one'], commits: 1 }).title,
    pullTexts(template, facts).title,
  ];

  assert.deepEqual(titles, ['Log in', 'app: one', 'Feature auth']);
});

test('words of agents and commits call nobody on GitHub, those of the operator do', () => {
  const result = { verdict: 'passed' as const, summary: 'Ask @grace.', findings: [] };
  const { text } = pullTexts(template, {
    ...facts,
    task: 'Log in\n\nFor @ada.',
    results: [{ step: 'review', result }],
  });

  assert.match(text, /For @ada\./);
  assert.doesNotMatch(text, /@grace/);
  assert.match(text, /@\u200bgrace/);
});

test('a template that names something unknown is refused with the nearest word', () => {
  assert.throws(() => pullTexts('# {{titel}}\n', facts), { code: 'CONFIG_INVALID', hint: 'Did you mean {{title}}?' });
});

test('pull requests on another host are linked by their address', () => {
  const text = withLinks('<!-- takt:links -->', [sibling('lib', 3, 'ghe.example.org'), sibling('app', 4)], 'app');

  assert.match(
    text,
    /1\. \[ghe\.example\.org\/acme\/lib#3\]\(https:\/\/ghe\.example\.org\/acme\/lib\/pull\/3\)\n2\. \*\*acme\/app#4\*\*/,
  );
  assert.equal(withLinks('Text.\n\n<!-- takt:links -->', [sibling('app', 4)], 'app'), 'Text.');
});

test('takt’s part of a text is replaced, and only that', () => {
  const first = mergedBody(null, 'one', 'A title -- with dashes');
  const edited = `Before.\r\n${first.replaceAll('\n', '\r\n')}\r\nAfter.`;

  const second = mergedBody(edited, 'two', 'Another');

  assert.equal(titleGiven(first), 'A title -- with dashes');
  assert.match(second, /^Before\.\n<!-- takt:begin title=Another -->\ntwo\n<!-- takt:end -->\nAfter\.$/);
  assert.match(mergedBody('By hand.', 'one', 't'), /^By hand\.\n\n<!-- takt:begin/);
});

test('a text of any length keeps its links', () => {
  const { text } = pullTexts(template, { ...facts, task: `t\n${'x'.repeat(70_000)}` });

  assert.ok(text.length < 60_000);
  assert.ok(text.endsWith('<!-- takt:links -->'));
});
