import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/contract/faults.ts';
import { operations } from '../../src/contract/operations.ts';
import { commandTable } from '../../src/grammar/command-table.ts';
import { parseLine, type ParsedLine } from '../../src/grammar/parse-line.ts';

const table = commandTable(operations);

const parse = (line: string): ParsedLine => parseLine(line.split(' '), table);

function command(line: string): { name: string; params: Record<string, unknown>; flags: unknown } {
  const parsed = parse(line);
  assert.equal(parsed.kind, 'command');
  assert.ok(parsed.kind === 'command');
  return { name: parsed.command.name, params: parsed.params, flags: parsed.flags };
}

function fault(line: string): Fault {
  try {
    parse(line);
  } catch (error) {
    assert.ok(error instanceof Fault, String(error));
    return error;
  }
  assert.fail(`no fault for: ${line}`);
}

test('positionals are taken in order, the last one as a list', () => {
  const { name, params } = command('workspace create feature app lib');

  assert.equal(name, 'workspace.create');
  assert.deepEqual(params, { workspace: 'feature', repos: ['app', 'lib'] });
});

test('options may stand anywhere and are written in three ways', () => {
  const between = command('workspace create --from main feature app --adopt lib --read=docs');

  assert.deepEqual(between.params, {
    workspace: 'feature',
    repos: ['app', 'lib'],
    from: 'main',
    adopt: true,
    read: ['docs'],
  });
  assert.deepEqual(command('run logs feature -f').params, { run: 'feature', follow: true });
  assert.deepEqual(command('run logs feature --no-follow').params, { run: 'feature', follow: false });
  assert.deepEqual(command('run list --limit 7').params, { limit: 7 });
});

test('lists grow by repetition, and by commas where they hold names', () => {
  assert.deepEqual(command('workspace create a b --read c --read d,e').params['read'], ['c', 'd', 'e']);
  assert.deepEqual(command('repo add a b --depends-on c,d').params['dependsOn'], ['c', 'd']);
  assert.deepEqual(command('repo add a b --copy x,y --copy z').params['copy'], ['x,y', 'z']);
});

test('a map is given key by key', () => {
  assert.deepEqual(command('run approve feature --commits app=a1 --commits lib=b2').params['commits'], {
    app: 'a1',
    lib: 'b2',
  });
  assert.match(fault('run approve feature --commits app').message, /KEY=VALUE/);
});

test('a number below zero is a value, wherever it stands', () => {
  assert.deepEqual(command('setting set steps_at_once -3').params, { key: 'steps_at_once', value: '-3' });
  assert.deepEqual(command('workspace trigger feature --note -1.5e3').params['note'], '-1.5e3');
  assert.deepEqual(command('run list --limit -7').params, { limit: -7 });
  assert.match(fault('setting set steps_at_once -3x').message, /has no option -3x/);
  assert.match(fault('workspace trigger feature --note -n').message, /--note needs a value/);
});

test('two dashes end the options', () => {
  assert.deepEqual(command('workspace pipeline-set feature -- --odd -f').params['steps'], ['--odd', '-f']);
});

test('options of every command are known before and after it', () => {
  assert.deepEqual(command('--json repo list -y --home /tmp/h').flags, { json: true, yes: true, home: '/tmp/h' });
});

test('help and version are asked for in the usual ways', () => {
  assert.deepEqual(parseLine([], table).kind, 'help');
  const help = (line: string): readonly string[] => {
    const parsed = parse(line);
    return parsed.kind === 'help' ? parsed.words : ['no help'];
  };
  assert.deepEqual(help('--help'), []);
  assert.deepEqual(help('help run show'), ['run', 'show']);
  assert.deepEqual(help('run show -h'), ['run', 'show']);
  assert.deepEqual(help('workspace create feature app --help'), ['workspace', 'create']);
  assert.deepEqual(help('workspace -h'), ['workspace']);
  assert.equal(command('--version').name, 'home.version');
});

test('an unknown command names the one that was probably meant', () => {
  assert.equal(fault('worksapce list').code, 'COMMAND_UNKNOWN');
  assert.match(fault('worksapce list').message, /Did you mean `takt workspace`\?/);
  assert.match(fault('workspace crate x').message, /`takt workspace create`/);
  assert.match(fault('create x').message, /`takt workspace create`/);
  assert.doesNotMatch(fault('zzzzzz').message, /Did you mean/);
});

test('a group of commands alone names what may follow', () => {
  const { code, message } = fault('workspace');

  assert.equal(code, 'INPUT_INVALID');
  assert.match(message, /add-repo, create, delete, list/);
});

test('missing and surplus words name the usage', () => {
  assert.match(fault('workspace create feature').message, /needs REPO\.$/);
  assert.equal(fault('workspace create').hint, 'Usage: takt workspace create WORKSPACE REPO… [OPTION…]');
  assert.match(fault('repo list app').message, /takes no words after it, and `app` was given/);
  assert.match(fault('run show a b').message, /nothing after RUN, and `b`/);
  assert.match(fault('template set workspace.md').message, /needs --hash HASH/);
});

test('unknown and incomplete options say what was meant', () => {
  assert.match(fault('run logs feature --folow').message, /Did you mean --follow\?/);
  assert.match(fault('run logs feature --step').message, /--step needs a value/);
  assert.match(fault('workspace trigger a --note -x').hint, /--note=-x/);
  assert.match(fault('-f run logs feature').message, /has to come after a command/);
  assert.match(fault('run logs feature -=x').message, /no option -\./);
  assert.match(fault('run list --limit many').message, /takes a number/);
  assert.match(fault('run list --state pased').message, /Did you mean `passed`\?/);
  assert.match(fault('completion powershell').hint, /bash, zsh, fish/);
  assert.match(fault('run list --limit 1 --limit 2').message, /given twice/);
});

test('every example of the contract is a line that parses', () => {
  for (const { examples, name, words } of table.commands) {
    for (const { line } of examples) {
      if (line.startsWith('source ')) continue;
      const typed = line
        .replace(/ > .*$/, '')
        .match(/(?:[^\s"]|"[^"]*")+/g)!
        .map((word) => word.replaceAll('"', ''));
      assert.equal(typed[0], 'takt');
      const parsed = parseLine(typed.slice(1), table);
      assert.ok(
        parsed.kind === 'command' && parsed.command.name === name,
        `${line} is an example of ${words.join(' ')}`,
      );
    }
  }
});
