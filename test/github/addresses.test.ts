import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { findPlace } from '../../src/github/find-place.ts';
import { placeInAddress, sshHostIn } from '../../src/github/github-address.ts';
import { testNeeding } from '../driver/machine.ts';

test('every way to write the address of a repository on GitHub is understood', () => {
  const written = {
    'https://github.com/acme/app.git': 'github.com acme app',
    'https://github.com/acme/app': 'github.com acme app',
    'https://ada:secret@github.com/acme/app/': 'github.com acme app',
    'git@github.com:acme/app.git': 'github.com acme app',
    'github.com:acme/app.git': 'github.com acme app',
    'ssh://git@GitHub.com/acme/app.git': 'github.com acme app',
    'ssh://git@ssh.github.com:443/acme/app.git': 'github.com acme app',
    'git://github.com/acme/my.app.git': 'github.com acme my.app',
    'https://ghe.example.org:8443/acme/app.git': 'ghe.example.org:8443 acme app',
    'ssh://git@ghe.example.org:2222/acme/app.git': 'ghe.example.org acme app',
  };

  const read = Object.keys(written).map((address) => Object.values(placeInAddress(address) ?? {}).join(' '));

  assert.deepEqual(read, Object.values(written));
});

test('what is no repository of two parts on a host is none', () => {
  const others = [
    '/srv/git/app.git',
    '../app',
    'file:///srv/acme/app',
    'https://github.com/acme',
    'git@host:group/sub/app.git',
    'https://github.com/acme/..',
    'C:\\acme\\app',
    '',
  ];

  assert.deepEqual(
    others.filter((address) => placeInAddress(address) !== null),
    [],
  );
  assert.equal(sshHostIn('https://github.com/acme/app'), null);
  assert.equal(sshHostIn('work:acme/app'), 'work');
});

testNeeding('ssh')(
  'addresses are read as git and ssh read them: rewritten, and by an alias of the ssh configuration',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'takt-place-'));
    await mkdir(join(folder, 'bin'));
    await writeFile(join(folder, '.gitconfig'), '[url "git@work:"]\n\tinsteadOf = acme:\n');
    // ssh finds its configuration by the account, not by HOME, so that a command of that name brings the file.
    await writeFile(join(folder, 'config'), 'Host work\n  HostName github.example.org\n');
    await writeFile(join(folder, 'bin', 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F '${folder}/config' "$@"\n`, {
      mode: 0o755,
    });
    const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`, HOME: folder };

    const place = await findPlace('acme:tools/app.git', { folder, env, signal: AbortSignal.timeout(10_000) });
    const local = findPlace(folder, { folder, env, signal: AbortSignal.timeout(10_000) });

    await assert.rejects(local, { code: 'UPSTREAM_NOT_GITHUB' });
    await rm(folder, { recursive: true });
    assert.deepEqual(place, { host: 'github.example.org', owner: 'tools', name: 'app' });
  },
);
