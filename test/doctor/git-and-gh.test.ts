import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test as plainTest } from 'node:test';
import { ghFinding } from '../../src/bin/doctor/gh-check.ts';
import { testNeeding } from '../driver/machine.ts';
import { newRoot, newScratch, run, tryRunWith } from '../git/scratch.ts';
import { doctorHome, type DoctorHome } from './doctor-home.ts';

const upstreams = (home: DoctorHome, ...addresses: string[]): void =>
  writeFileSync(
    home.layout.reposFile,
    `repos:\n${addresses.map((address, at) => `  - name: r${at}\n    upstream: ${address}\n`).join('')}`,
  );
const userConfig = (home: DoctorHome, text: string): void =>
  writeFileSync(join(home.environment['HOME']!, '.gitconfig'), text);
const NAMED = '[user]\n\tname = Ada\n\temail = ada@example.org\n';

plainTest('a missing name for commits is a warning, unless the settings of takt give one', async () => {
  using home = await doctorHome();
  assert.match(await home.state('git settings'), /^ok/);

  userConfig(home, '[user]\n\tname = Ada\n');
  const { state, found, fix } = await home.look('git settings');
  writeFileSync(home.layout.settingsFile, 'author: { name: Ada, email: ada@example.org }\n');

  assert.deepEqual([state, found], ['warning', 'user.email is not set']);
  assert.match(fix, /^`git config --global user\.email you@example\.org`/);
  assert.match(await home.state('git settings'), /^ok/);
});

plainTest('a configuration that git cannot read is broken, with the words of git', async () => {
  using home = await doctorHome();
  userConfig(home, '[core\n');

  assert.match(
    await home.state('git settings'),
    /^broken: git cannot read its configuration: fatal: bad config line 1/,
  );
});

plainTest('a value that git cannot take is broken, with the words of git', async () => {
  using home = await doctorHome();
  userConfig(home, `${NAMED}[core]\n\tcompression = many\n`);

  assert.match(
    await home.state('git settings'),
    /^broken: .*fatal: bad numeric config value 'many' for 'core\.compression'/,
  );
});

plainTest('a protocol that is refused is broken where takt needs it, and only there', async () => {
  using home = await doctorHome();
  userConfig(home, `${NAMED}[protocol "https"]\n\tallow = Never\n[protocol "ext"]\n\tallow = never\n`);
  assert.match(await home.state('git settings'), /^ok/);

  upstreams(home, '/srv/a.git', 'https://example.org/b.git');
  assert.match(await home.state('git settings'), /^broken: protocol\.https\.allow is never/);
  upstreams(home, 'git@example.org:a.git');
  assert.match(await home.state('git settings'), /^ok/);
  userConfig(home, `${NAMED}[protocol]\n\tallow = never\n[protocol "ssh"]\n\tallow = always\n`);
  const { found, fix } = await home.look('git settings');

  assert.match(found, /^protocol\.file\.allow is never/);
  assert.match(fix, /^`git config --global protocol\.file\.allow user`/);
});

plainTest('the protocol of an upstream is that of the address which git makes of it, for pushes as well', async () => {
  using home = await doctorHome();
  const never = `${NAMED}[protocol "https"]\n\tallow = never\n`;
  upstreams(home, 'https://example.org/b.git');
  userConfig(home, `${never}[url "/srv/"]\n\tinsteadOf = https://example.org/\n`);
  assert.match(await home.state('git settings'), /^ok/);

  userConfig(home, `${never}[url "https://example.org/"]\n\tpushInsteadOf = /srv/\n`);
  upstreams(home, '/srv/b.git');
  const rewritten = await home.state('git settings');
  userConfig(home, never);
  const plain = await home.state('git settings');
  upstreams(home, '/srv/b.git\n    push_url: https://example.org/b.git');
  const pushed = await home.state('git settings');

  assert.match(rewritten, /^broken: protocol\.https\.allow is never/);
  assert.match(plain, /^ok/);
  assert.match(pushed, /^broken: protocol\.https\.allow is never/);
});

plainTest('what doctor says of protocols is so: `never` stops a push to a root repo, and `user` does not', async () => {
  using scratch = newScratch();
  const { root } = await newRoot(scratch);
  const clone = scratch.path('clone');
  run(scratch.folder, 'clone', '--quiet', '--branch=task', root, clone);
  run(clone, 'commit', '--quiet', '--allow-empty', '-m', 'work');
  const pushWith = (allow: string): number | null => {
    const settings = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'protocol.file.allow', GIT_CONFIG_VALUE_0: allow };
    return tryRunWith(settings, clone, 'push', 'origin', 'HEAD:task').exitCode;
  };

  assert.deepEqual([pushWith('never'), pushWith('user')], [128, 0]);
});

const test = testNeeding('gh');

test('gh counts only where an upstream is on a host that it can serve, and its own exit code decides', async () => {
  using home = await doctorHome();
  upstreams(home, '/srv/a.git', 'git@git.example.org:acme/b.git', 'https://git.example.org/c');
  assert.match(await home.state('gh'), /^ok: gh version [^;]*$/);

  upstreams(home, 'git@github.com:acme/a.git', 'https://git.example.org/acme/b.git');
  const out = await home.look('gh');
  const folder = join(home.environment['HOME']!, '.config', 'gh');
  mkdirSync(folder, { recursive: true });
  const login = (host: string): string => `${host}:\n    user: ada\n    oauth_token: gho_x\n    git_protocol: https\n`;
  writeFileSync(join(folder, 'hosts.yml'), login('github.com') + login('git.example.org'), { mode: 0o600 });

  assert.equal(out.state, 'warning');
  assert.match(out.found, /; not logged in at github\.com$/);
  assert.match(out.fix, /`gh auth login --hostname github\.com`/);
  assert.match(await home.state('gh'), /^ok: .*; logged in at github\.com, git\.example\.org$/);
});

plainTest('without gh there is something to say only if an upstream is on GitHub', () => {
  const without = (...hosts: string[]): string => ghFinding({ version: undefined, hosts, loggedInAt: [] }).state;

  assert.deepEqual(
    [without(), without('example.org'), without('github.com'), without('acme.ghe.com')],
    ['absent', 'absent', 'warning', 'warning'],
  );
});
