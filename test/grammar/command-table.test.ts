import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestWord } from '../../src/contract/nearest-word.ts';
import { operations } from '../../src/contract/operations.ts';
import { commandNamed, commandTable } from '../../src/grammar/command-table.ts';
import { optionForm, usageLine } from '../../src/grammar/usage.ts';

const table = commandTable(operations);

test('the table is plain data and holds every operation', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(table)), table);
  assert.deepEqual(table.commands.map(({ name }) => name).toSorted(), operations.map(({ name }) => name).toSorted());
});

test('parameters become positionals and options with kinds, defaults and entities', () => {
  const logs = commandNamed(table, 'run.logs');

  assert.deepEqual(
    logs.positionals.map(({ param, isRequired, entity }) => [param, isRequired, entity]),
    [['run', true, 'run']],
  );
  assert.deepEqual(
    logs.options.map(({ name, kind, short, default: byDefault }) => [name, kind, short, byDefault]),
    [
      ['step', 'string', 's', null],
      ['attempt', 'string', null, null],
      ['after', 'number', null, 0],
      ['follow', 'boolean', 'f', null],
    ],
  );
  assert.equal(commandNamed(table, 'run.approve').options[0]!.kind, 'map');
  assert.equal(commandNamed(table, 'repo.add').options.find(({ param }) => param === 'dependsOn')!.name, 'depends-on');
});

test('every positional and every entity names a parameter that exists', () => {
  for (const operation of operations) {
    const command = commandNamed(table, operation.name);
    const params = [...command.positionals, ...command.options].map(({ param }) => param);
    const named = [
      ...operation.command.positionals,
      ...Object.keys(operation.command.shorts ?? {}),
      ...Object.keys(operation.entities),
    ];
    assert.deepEqual(
      named.filter((name) => !params.includes(name)),
      [],
      operation.name,
    );
    assert.ok(
      command.positionals.slice(0, -1).every(({ kind }) => kind !== 'list'),
      `${operation.name}: only the last may be a list`,
    );
  }
});

test('no words of a command are the beginning of another command', () => {
  const lines = table.commands.filter(({ words }) => words.length > 0).map(({ words }) => `${words.join(' ')} `);

  assert.equal(new Set(lines).size, lines.length);
  assert.deepEqual(
    lines.filter((line) => lines.some((other) => other !== line && other.startsWith(line))),
    [],
  );
});

test('the usage names what is required', () => {
  assert.equal(usageLine(commandNamed(table, 'home.init')), 'takt init [FOLDER]');
  assert.equal(usageLine(commandNamed(table, 'role.set')), 'takt role set ROLE --hash HASH [OPTION…]');
  assert.equal(
    optionForm(commandNamed(table, 'repo.add').options.find(({ param }) => param === 'dependsOn')!),
    '--depends-on REPO',
  );
});

test('the nearest word is found through slips, swaps and beginnings, and not at any price', () => {
  const words = ['workspace', 'run', 'repo', 'review'];

  assert.equal(nearestWord('wrokspace', words), 'workspace');
  assert.equal(nearestWord('Rnu', words), 'run');
  assert.equal(nearestWord('wor', words), 'workspace');
  assert.equal(nearestWord('pipeline', words), undefined);
});
