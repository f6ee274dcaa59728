import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findModelAccess, readCredential } from '../../src/agents/model-access.ts';
import { Settings } from '../../src/contract/settings.ts';

const HOUR_MS = 3_600_000;
const noSettings = Settings.parse({});

/** A user's home folder, empty at first. */
function newHome(): { folder: string; write: (path: string, text: string, mode?: number) => string } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'takt-access-'));
  return {
    folder,
    write(path, text, mode = 0o600) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), text);
      chmodSync(join(folder, path), mode);
      return join(folder, path);
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

const login = (expiresAt: number): string =>
  JSON.stringify({ claudeAiOauth: { accessToken: 'sk-ant-oat01-mine', refreshToken: 'r', expiresAt } });

test('without any key or login the fault says so before anything runs', () => {
  using home = newHome();

  const find = (): unknown => findModelAccess({ environment: {}, settings: noSettings, homeFolder: home.folder });

  assert.throws(find, { code: 'MODEL_ACCESS_MISSING', message: /login .*\.credentials\.json does not exist/ });
});

test('a key file of the settings comes first, then the environment, then the login', () => {
  using home = newHome();
  home.write('key', 'sk-file\n');
  home.write('.claude/.credentials.json', login(Date.now() + HOUR_MS));
  const settings = Settings.parse({ model: { key_file: '~/key' } });
  const environment = { ANTHROPIC_API_KEY: 'sk-env' };

  const found = [
    findModelAccess({ environment, settings, homeFolder: home.folder }),
    findModelAccess({ environment, settings: noSettings, homeFolder: home.folder }),
    findModelAccess({ environment: {}, settings: noSettings, homeFolder: home.folder }),
  ];

  assert.deepEqual(found, [
    { kind: 'keyFile', baseUrl: 'https://api.anthropic.com', file: join(home.folder, 'key') },
    { kind: 'environment', baseUrl: 'https://api.anthropic.com' },
    { kind: 'login', baseUrl: 'https://api.anthropic.com', configFolder: join(home.folder, '.claude') },
  ]);
});

test('the address comes from the settings, else from the environment', () => {
  const environment = { ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' };
  const settings = Settings.parse({ model: { base_url: 'https://gateway.example/anthropic' } });

  assert.equal(
    findModelAccess({ environment, settings, homeFolder: '/nowhere' }).baseUrl,
    'https://gateway.example/anthropic',
  );
  assert.equal(
    findModelAccess({ environment, settings: noSettings, homeFolder: '/nowhere' }).baseUrl,
    'http://127.0.0.1:9',
  );
});

test('the variables of the environment count in their order, and the kind follows the variable and the key', () => {
  const access = { kind: 'environment', baseUrl: 'https://api.anthropic.com' } as const;
  const all = { ANTHROPIC_API_KEY: 'sk-ant-api', CLAUDE_CODE_OAUTH_TOKEN: 'oat', ANTHROPIC_AUTH_TOKEN: 'auth' };

  assert.deepEqual(readCredential(access, all), { credential: { kind: 'apiKey', secret: 'sk-ant-api' } });
  assert.deepEqual(readCredential(access, { ...all, ANTHROPIC_API_KEY: '' }), {
    credential: { kind: 'oauth', secret: 'oat' },
  });
  assert.deepEqual(readCredential(access, { ANTHROPIC_AUTH_TOKEN: 'auth' }), {
    credential: { kind: 'bearer', secret: 'auth' },
  });
  assert.deepEqual(readCredential(access, { ANTHROPIC_API_KEY: 'sk-ant-oat01-x' }), {
    credential: { kind: 'oauth', secret: 'sk-ant-oat01-x' },
  });
});

test('a login is not handed to an address that is not its own', () => {
  using home = newHome();
  home.write('.claude/.credentials.json', login(Date.now() + HOUR_MS));
  const settings = Settings.parse({ model: { base_url: 'https://gateway.example' } });

  const find = (): unknown => findModelAccess({ environment: {}, settings, homeFolder: home.folder });

  assert.throws(find, { code: 'MODEL_ACCESS_MISSING', message: /gateway\.example/ });
});

test('a login that has expired, or cannot be read, is a fault that says what to do', () => {
  using home = newHome();
  const find = (): unknown =>
    findModelAccess({
      environment: { CLAUDE_CONFIG_DIR: join(home.folder, 'own') },
      settings: noSettings,
      homeFolder: '/nowhere',
    });

  home.write('own/.credentials.json', login(Date.now() - 1));
  assert.throws(find, { code: 'MODEL_ACCESS_MISSING', message: /expired; start `claude`/ });

  home.write('own/.credentials.json', '{"claudeAiOauth": {');
  assert.throws(find, { code: 'MODEL_ACCESS_MISSING', message: /holds no login/ });
});

test('a key file has to be there, private, absolute and hold one key', () => {
  using home = newHome();
  const findWith = (file: string) => (): unknown =>
    findModelAccess({
      environment: {},
      settings: Settings.parse({ model: { key_file: file } }),
      homeFolder: home.folder,
    });

  assert.throws(findWith('/no/such/key'), {
    code: 'MODEL_ACCESS_MISSING',
    message: 'The key file /no/such/key does not exist.',
  });
  assert.throws(findWith(home.write('open', 'sk', 0o640)), {
    code: 'MODEL_ACCESS_MISSING',
    message: /can be read by others/,
  });
  assert.throws(findWith(home.write('two', 'sk one\nsk two')), { code: 'MODEL_ACCESS_MISSING', message: /one key/ });
  assert.throws(findWith('keys/mine'), { code: 'CONFIG_INVALID', message: /not an absolute path/ });
});

test('no fault tells the key', () => {
  using home = newHome();
  const file = home.write('open', 'sk-very-secret and more', 0o644);

  try {
    findModelAccess({
      environment: {},
      settings: Settings.parse({ model: { key_file: file } }),
      homeFolder: home.folder,
    });
    assert.fail('should have thrown');
  } catch (error) {
    assert.doesNotMatch(JSON.stringify(error) + String(error), /very-secret/);
  }
});
