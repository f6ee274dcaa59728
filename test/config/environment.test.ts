import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setSetting } from '../../src/config/edit-settings.ts';
import { readSettingsFile } from '../../src/config/settings-file.ts';
import { Fault } from '../../src/contract/faults.ts';
import { looksSecret, shownValue } from '../../src/contract/secret-look.ts';

const said = (read: () => unknown): string => {
  try {
    return `no fault: ${JSON.stringify(read())}`;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return `${error.code} ${error.message}`;
  }
};

test('the environment of the settings takes names and texts, and says where another one stands', () => {
  const right = readSettingsFile('environment:\n  HTTPS_PROXY: http://proxy.example:3128\n  _x1: ""\n');
  const wrong: [text: string, expected: string][] = [
    [
      'environment:\n  A: a\n  GH-HOST: x\n',
      'CONFIG_INVALID config/settings.yaml:3:3: environment.GH-HOST is no name of a variable: letters, digits and underscore, not beginning with a digit.',
    ],
    [
      'environment:\n  TAKT_HOME: /elsewhere\n',
      'CONFIG_INVALID config/settings.yaml:2:3: environment.TAKT_HOME is a variable of takt’s own, which says what this file cannot.',
    ],
    [
      'environment:\n  PATH: ""\n',
      'CONFIG_INVALID config/settings.yaml:2:3: environment.PATH is empty, so that no program would be found.',
    ],
    [
      'environment:\n  GH_TOKEN: 12345\n',
      'CONFIG_INVALID config/settings.yaml:2:13: environment.GH_TOKEN has to be text.',
    ],
    [
      'environment:\n  GH_TOKEN: "ghp_0123456789\\0"\n',
      'CONFIG_INVALID config/settings.yaml:2:3: environment.GH_TOKEN has a value with a zero byte in it.',
    ],
  ];

  assert.deepEqual(right.environment, { HTTPS_PROXY: 'http://proxy.example:3128', _x1: '' });
  assert.deepEqual(
    wrong.map(([text]) => said(() => readSettingsFile(text))),
    wrong.map(([, expected]) => expected),
  );
});

test('one variable is set and taken out by its key, as text whatever it looks like', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'takt-test-'));
  const file = join(folder, 'settings.yaml');
  const set = (key: string, value: string): Promise<unknown> => setSetting(file, key, value, undefined);

  await set('environment.GIT_HTTP_LOW_SPEED_TIME', '30');
  await set('environment.NO_PROXY', '*');
  await set('environment.GH_HOST', '"git.example.org"');
  const full = readSettingsFile(await readFile(file, 'utf8')).environment;
  await assert.rejects(set('environment.1ST', 'x'), { code: 'INPUT_INVALID' });
  await assert.rejects(set('environment.TAKT_PORT', '1'), { code: 'INPUT_INVALID' });
  for (const name of Object.keys(full)) await set(`environment.${name}`, 'default');
  const emptied = await readFile(file, 'utf8');
  await rm(folder, { recursive: true });

  assert.deepEqual(full, { GIT_HTTP_LOW_SPEED_TIME: '30', NO_PROXY: '*', GH_HOST: 'git.example.org' });
  assert.equal(emptied.trim(), '');
});

test('what looks like a secret is not shown, and what does not is', () => {
  const shown: [name: string, value: string, expected: string][] = [
    ['GH_TOKEN', 'abc', '***'],
    ['ANTHROPIC_API_KEY', 'abc', '***'],
    ['ANYTHING', 'Bearer sk-ant-0123456789', '***'],
    ['http_proxy', 'ada:secret@proxy:3128', '***@proxy:3128'],
    ['HTTPS_PROXY', 'http://ada:secret@proxy:3128', 'http://***@proxy:3128'],
    ['ANTHROPIC_BASE_URL', 'https://token@model.example/v1', 'https://***@model.example/v1'],
    ['ANTHROPIC_BASE_URL', 'https://model.example/v1?api_key=abc', 'https://model.example/v1?api_key=***'],
    ['HTTPS_PROXY', 'http://proxy:3128', 'http://proxy:3128'],
    ['SSH_AUTH_SOCK', '/run/user/1000/keyring/ssh', '/run/user/1000/keyring/ssh'],
    ['GIT_SSL_KEY', '/etc/ssl/private/me.pem', '/etc/ssl/private/me.pem'],
    ['GIT_SSH_COMMAND', 'ssh -i ~/.ssh/work', 'ssh -i ~/.ssh/work'],
  ];

  assert.deepEqual(
    shown.map(([name, value]) => [name, shownValue(name, value), looksSecret(name, value)]),
    shown.map(([name, value, expected]) => [name, expected, expected !== value]),
  );
});
