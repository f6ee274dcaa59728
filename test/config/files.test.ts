import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/contract/faults.ts';
import { readReposFile } from '../../src/config/repos-file.ts';
import { readSettingsFile } from '../../src/config/settings-file.ts';

const said = (read: () => unknown): string => {
  try {
    return `no fault: ${JSON.stringify(read())}`;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return `${error.code} ${error.message}`;
  }
};

const repo = (name: string, more = ''): string => `  - name: ${name}\n    upstream: /srv/${name}.git\n${more}`;

test('a file without content lists no repos and has every default', () => {
  assert.deepEqual([readReposFile(''), readReposFile('# nothing yet\n'), readReposFile('repos:\n')], [[], [], []]);
  assert.equal(readSettingsFile('').on_new_push, 'stop');
  assert.equal(readSettingsFile('').model.default, 'sonnet');
});

test('what is wrong in repos.yaml is said with its line and column, and the way out', () => {
  const wrong: [text: string, expected: string][] = [
    [
      `repos:\n${repo('app', '    depend_on: [lib]\n')}`,
      'CONFIG_INVALID config/repos.yaml:4:5: the key depend_on is not known. Did you mean depends_on?',
    ],
    [
      `repos:\n${repo('app', '    depends_on: [lab]\n')}${repo('lib')}`,
      'CONFIG_INVALID config/repos.yaml:4:18: app depends on lab, which is not listed. Did you mean lib?',
    ],
    [
      `repos:\n${repo('app')}${repo('App')}`,
      'CONFIG_INVALID config/repos.yaml:4:11: the name App is taken by the repo at config/repos.yaml:2:11.',
    ],
    [
      `repos:\n${repo('a', '    depends_on: [b]\n')}${repo('b', '    depends_on: [a]\n')}`,
      'CONFIG_INVALID config/repos.yaml:4:17: these depend on each other in a circle: a → b → a.',
    ],
    ['repos:\n  - name: app\n', 'CONFIG_INVALID config/repos.yaml:2:5: repos.0.upstream is missing.'],
    [
      `repos:\n${repo('app', '    copy: [../secret]\n')}`,
      'CONFIG_INVALID config/repos.yaml:4:12: ../secret is not a path within the repo.',
    ],
    [
      `repos:\n${repo('app', '    cache: [.git/hooks]\n')}`,
      'CONFIG_INVALID config/repos.yaml:4:13: .git/hooks is not a path within the repo.',
    ],
    [
      'repos: [\n',
      'CONFIG_INVALID config/repos.yaml:2:1: Flow sequence in block collection must be sufficiently indented and end with a ].',
    ],
    ['- app\n', 'CONFIG_INVALID config/repos.yaml:1:1: the text has to be a group of keys.'],
    [
      `repos:\n  - name: "a b"\n    upstream: /x\n`,
      'CONFIG_INVALID config/repos.yaml:2:11: repos.0.name is "a b", which does not fit: letters, digits, dot, dash and underscore, starting with a letter or digit.',
    ],
  ];

  assert.deepEqual(
    wrong.map(([text]) => said(() => readReposFile(text))),
    wrong.map(([, expected]) => expected),
  );
});

test('what is wrong in settings.yaml is said with its line and column, and the nearest right word', () => {
  const wrong: [text: string, expected: string][] = [
    [
      'steps_at_onc: 3',
      'CONFIG_INVALID config/settings.yaml:1:1: the key steps_at_onc is not known. Did you mean steps_at_once?',
    ],
    [
      'model:\n  keyfile: /key',
      'CONFIG_INVALID config/settings.yaml:2:3: the key keyfile is not known. Did you mean key_file?',
    ],
    [
      'on_new_push: stopp',
      'CONFIG_INVALID config/settings.yaml:1:14: on_new_push has to be one of stop, finish; did you mean stop?',
    ],
    ['steps_at_once: many', 'CONFIG_INVALID config/settings.yaml:1:16: steps_at_once has to be a number.'],
    ['steps_at_once: 65', 'CONFIG_INVALID config/settings.yaml:1:16: steps_at_once is over the limit of 64.'],
    ['max_turns: 1\nmax_turns: 2', 'CONFIG_INVALID config/settings.yaml:2:1: Map keys must be unique.'],
  ];

  assert.deepEqual(
    wrong.map(([text]) => said(() => readSettingsFile(text))),
    wrong.map(([, expected]) => expected),
  );
});

test('a bomb of aliases is refused instead of unfolded', () => {
  const levels = Array.from(
    { length: 12 },
    (_, level) =>
      `l${level}: &l${level} [${level === 0 ? 'x' : Array.from({ length: 10 }, () => `*l${level - 1}`).join(', ')}]`,
  );

  assert.match(
    said(() => readSettingsFile(levels.join('\n'))),
    /^CONFIG_INVALID /,
  );
});
