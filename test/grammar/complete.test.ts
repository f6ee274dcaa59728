import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operations } from '../../src/contract/operations.ts';
import { commandTable } from '../../src/grammar/command-table.ts';
import { complete, type Completion } from '../../src/grammar/complete.ts';

const table = commandTable(operations);

/** Completes the last word; a line that ends in a blank has an empty one. */
const completing = (line: string): Completion => complete(line.split(' '), line.split(' ').length - 1, table);
const offered = (line: string): string[] => completing(line).candidates.map(({ value }) => value);

test('command words are completed, each with a description', () => {
  assert.deepEqual(offered('wor'), ['workspace']);
  assert.ok(offered('').includes('help'));
  assert.ok(!offered('').some((word) => word.startsWith('-')));
  assert.deepEqual(offered('workspace pipeline-s'), ['pipeline-set', 'pipeline-show']);
  const [create] = completing('workspace cr').candidates;
  assert.match(create!.description, /Makes a workspace/);
  assert.match(completing('wor').candidates[0]!.description, /add-repo, create, delete, list/);
});

test('help completes command words', () => {
  assert.deepEqual(offered('help workspace cr'), ['create']);
});

test('positionals name the entity to look up, with what the line says already', () => {
  assert.deepEqual(completing('workspace show fea').lookup, {
    entity: 'workspace',
    before: '',
    prefix: 'fea',
    known: {},
    taken: [],
    command: 'workspace.show',
  });
  const lookup = completing('workspace remove-repo feature ').lookup;
  assert.equal(lookup?.entity, 'repo');
  assert.equal(lookup?.known.workspace, 'feature');
});

test('a list goes on and leaves out what it holds', () => {
  const { lookup } = completing('repo fetch app li');

  assert.equal(lookup?.entity, 'repo');
  assert.deepEqual(lookup?.taken, ['app']);
});

test('no value is offered after the last positional', () => {
  assert.deepEqual(completing('run show feature ').lookup, null);
  assert.deepEqual(
    completing('repo list x').candidates.filter(({ value }) => !value.startsWith('-')),
    [],
  );
});

test('options are offered once, and a list option again', () => {
  assert.ok(offered('run logs feature --').includes('--follow'));
  assert.ok(!offered('run logs feature -f --').includes('--follow'));
  assert.ok(offered('workspace create a b --read c --').includes('--read'));
  assert.deepEqual(offered('run logs feature --fo'), ['--follow']);
  assert.ok(offered('run logs feature --').includes('--json'));
});

test('values of options are completed after a blank and after =', () => {
  assert.deepEqual(offered('run list --state pa'), ['passed']);
  assert.deepEqual(offered('run list --state=pa'), ['--state=passed']);
  const { lookup } = completing('run logs feature --step te');
  assert.equal(lookup?.entity, 'step');
  assert.equal(lookup?.known.run, 'feature');
  assert.equal(completing('run list --workspace=f').lookup?.before, '--workspace=');
  assert.equal(completing('workspace pipeline-set a --file ').lookup?.entity, 'file');
  assert.equal(completing('repo list --home ').lookup?.entity, 'file');
});

test('enums by position are completed', () => {
  assert.deepEqual(offered('completion '), ['bash', 'zsh', 'fish']);
});

test('the cursor may stand in the middle of the line', () => {
  const { lookup } = complete(['workspace', 'show', 'fea', '--json'], 2, table);

  assert.equal(lookup?.prefix, 'fea');
});

test('nothing is offered for words that lead nowhere', () => {
  assert.deepEqual(completing('nowhere x').candidates, []);
  assert.deepEqual(completing('run logs x --nothing=').candidates, []);
});
