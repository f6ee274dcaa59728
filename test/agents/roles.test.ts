import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseRoles, replaceRole } from '../../src/agents/roles.ts';

const shipped = readFileSync(join(import.meta.dirname, '../../templates/pipeline_roles.md'), 'utf8');
const text =
  '# Roles\n\nFor readers.\n\n## plan\n\nReads.\n\nPlan it.\n\n### How\n\nWell.\n\n## fix\nMends.\nFix it.\n';

test('the shipped roles are there, each with a purpose and a prompt of a readable size', () => {
  const roles = parseRoles(shipped);

  assert.deepEqual(
    roles.map(({ name }) => name),
    ['plan', 'implement', 'test', 'review', 'fix', 'docs'],
  );
  for (const { name, purpose, prompt } of roles) {
    assert.ok(purpose.length <= 100, name);
    const lines = prompt.split('\n').length;
    assert.ok(lines >= 8 && lines <= 25, `${name} has ${lines} lines`);
    assert.match(prompt, /stage result/, name);
  }
});

test('a role is a heading, a line for lists, and a prompt that may have smaller headings', () => {
  assert.deepEqual(parseRoles(text), [
    { name: 'plan', purpose: 'Reads.', prompt: 'Plan it.\n\n### How\n\nWell.' },
    { name: 'fix', purpose: 'Mends.', prompt: 'Fix it.' },
  ]);
  assert.deepEqual(parseRoles(text.replaceAll('\n', '\r\n')), parseRoles(text));
  assert.deepEqual(parseRoles(''), []);
});

test('what looks like a heading within a code block is part of the prompt', () => {
  const [role] = parseRoles('## plan\nReads.\nWrite:\n```md\n## Result\n```\nThat is all.\n');

  assert.equal(role!.prompt, 'Write:\n```md\n## Result\n```\nThat is all.');
});

test('mistakes in the file are named with their line', () => {
  const faultOf = (bad: string) => (): unknown => parseRoles(bad, 'roles.md');

  assert.throws(faultOf('\n## Plan It\nx\ny\n'), {
    code: 'CONFIG_INVALID',
    message: /^roles\.md:2: "Plan It" cannot name a role/,
  });
  assert.throws(faultOf('##\nx\ny\n'), { code: 'CONFIG_INVALID', message: /^roles\.md:1: "" cannot name/ });
  assert.throws(faultOf('## a\nx\ny\n## a\nx\ny\n'), {
    code: 'CONFIG_INVALID',
    message: /^roles\.md:4: the role a is there already, in line 1/,
  });
  assert.throws(faultOf('## a\n\n## b\nx\ny\n'), {
    code: 'CONFIG_INVALID',
    message: /^roles\.md:1: the role a is empty/,
  });
  assert.throws(faultOf('## a\n\nOnly a purpose.\n'), {
    code: 'CONFIG_INVALID',
    message: /^roles\.md:3: the role a has no prompt/,
  });
});

test('replacing a prompt leaves everything else as it was', () => {
  const replaced = replaceRole(text, 'plan', 'Plan it better.\n');

  assert.equal(
    replaced,
    '# Roles\n\nFor readers.\n\n## plan\n\nReads.\n\nPlan it better.\n\n## fix\nMends.\nFix it.\n',
  );
  assert.equal(parseRoles(replaceRole(text, 'fix', 'Mend it.')).find(({ name }) => name === 'fix')!.prompt, 'Mend it.');
});

test('a role that is new is added at the end, and its first line says what it is for', () => {
  const added = replaceRole(text, 'deploy', 'Tries it on a board.\n\nTake the board that the task names.');

  assert.deepEqual(parseRoles(added).at(-1), {
    name: 'deploy',
    purpose: 'Tries it on a board.',
    prompt: 'Tries it on a board.\n\nTake the board that the task names.',
  });
  assert.ok(added.startsWith(text.trimEnd()));
  assert.equal(parseRoles(replaceRole('', 'deploy', 'Tries it.')).length, 1);
});

test('a prompt that would read back as something else is refused', () => {
  assert.throws(() => replaceRole(text, 'plan', 'Plan.\n\n## Result\n'), {
    code: 'INPUT_INVALID',
    message: /heading of the second level/,
  });
  assert.throws(() => replaceRole(text, 'plan', ' \n'), { code: 'INPUT_INVALID' });
  assert.throws(() => replaceRole(text, 'No Name', 'x'), { code: 'INPUT_INVALID' });
});
