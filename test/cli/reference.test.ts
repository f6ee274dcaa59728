import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { referencePages } from '../../scripts/reference-pages.ts';
import { faults } from '../../src/contract/faults.ts';
import { operations } from '../../src/contract/operations.ts';

const PROJECT = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(PROJECT, path), 'utf8');

for (const [path, text] of Object.entries(referencePages())) {
  test(`${path} says what the code says`, () => {
    assert.equal(read(path), text, 'Run `node scripts/write-reference.ts`.');
  });
}

test('the page of faults lists every code and no other', () => {
  const listed = [...read('docs/reference/faults.md').matchAll(/^\| `([A-Z_]+)`/gm)].map(([, code]) => code);

  assert.deepEqual(new Set(listed), new Set(Object.keys(faults)));
});

test('the page of commands lists every command and no other', () => {
  const listed = [...read('docs/reference/cli.md').matchAll(/^### takt (.*)$/gm)].map(([, words]) => words);
  const declared = operations
    .filter(({ command }) => command.words.length > 0)
    .map(({ command }) => command.words.join(' '));

  assert.deepEqual(new Set(listed), new Set(declared));
});
