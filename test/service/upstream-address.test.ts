import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { upstreamAddress } from '../../src/service/operations/repo/upstream-address.ts';

test('an address is taken as git takes it from any folder', () => {
  const taken = [
    'https://github.com/acme/app.git',
    'ssh://git@host:22/app',
    'git@github.com:acme/app.git',
    'host:app',
    'git@[::1]:app',
    '/srv/app.git',
    'file:///srv/app.git',
  ];

  assert.deepEqual(taken.map(upstreamAddress), taken);
  assert.equal(upstreamAddress('~/src/app'), join(homedir(), 'src/app'));
});

test('a relative path, an option and a program are refused', () => {
  for (const address of [
    'app',
    './app',
    '../app',
    '-x:y',
    '--upload-pack=touch',
    'ext::sh -c "touch /tmp/x"',
    'fd::17',
    'a b:c',
    '',
  ]) {
    assert.throws(() => upstreamAddress(address), { code: 'INPUT_INVALID' }, address);
  }
});
