import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { result } from '../../src/bin/doctor/check.ts';
import { doesHomeAnswer, homeChecks } from '../../src/bin/doctor/home-checks.ts';
import { repairAll } from '../../src/bin/doctor/repair-all.ts';
import { openConfig } from '../../src/config/config-source.ts';
import { readFileText } from '../../src/config/edit-file.ts';
import { homeLayout } from '../../src/platform/home-layout.ts';
import { servicePort } from '../../src/platform/service-port.ts';
import { insertRoot } from '../../src/store/roots.ts';
import { testNeeding } from '../driver/machine.ts';
import { limit, makeFifo } from '../git/scratch.ts';
import { doctorHome } from './doctor-home.ts';

const testWalled = testNeeding('bwrap');

const FOREIGN_ID = 61234;
const isRoot = process.getuid?.() === 0;

testWalled('a new home is well in every respect', async () => {
  using home = await doctorHome();
  const names = homeChecks(home.layout, limit()).flatMap(({ label }) => label ?? []);

  const results = await Promise.all(names.map((name) => home.look(name)));

  const notWell = results
    // What units there are is the affair of whoever runs the tests.
    .filter(({ name, state }) => state !== 'ok' && name !== 'unit')
    .map(({ name, state, found }) => `${name} ${state} ${found}`);
  // There is no key for a model in this environment.
  assert.deepEqual(
    notWell.map((line) => line.split(' ').slice(0, 2).join(' ')),
    ['model access'],
  );
});

test('a folder that is no home is said to be none, and what needs one is not looked at', async () => {
  using home = await doctorHome();
  const nowhere = homeLayout(home.path('nowhere'));
  const checks = homeChecks(nowhere, limit(), home.environment);

  const results = await Promise.all(checks.map(async (check) => check()));

  assert.deepEqual(
    results.map(({ name, state }) => `${name} ${state}`).filter((line) => !line.startsWith('gh')),
    ['git settings ok', 'model access warning', 'home broken'],
  );
  assert.match(results.at(-1)!.fix, /takt init/);
  assert.equal(existsSync(nowhere.home), false);
});

test('a home of a newer takt and one whose marker is damaged are broken', async () => {
  using home = await doctorHome();
  const marker = join(home.layout.state, 'home.json');

  writeFileSync(marker, '{"version":99}');
  assert.match(await home.state('home'), /^broken: .*version 99/);
  writeFileSync(marker, '{');
  assert.match(await home.state('home'), /^broken: .*is damaged/);
});

test(
  'a home of another user is named as such, and nothing in it is mended',
  { skip: isRoot ? false : 'only root can give a file away' },
  async () => {
    using home = await doctorHome();
    chmodSync(home.layout.database, 0o644);
    const own = await home.look('rights');
    for (const path of [home.layout.state, join(home.layout.state, 'home.json')])
      chownSync(path, FOREIGN_ID, FOREIGN_ID);

    const { state, found, fix } = await home.look('home');
    const foreign = await home.look('rights');

    assert.equal(state, 'warning');
    assert.match(`${found} ${fix}`, /belongs to user id 61234, and this is user id 0 .*sudo -u '#61234' takt doctor/);
    assert.deepEqual([own.repair === undefined, foreign.repair === undefined], [false, true]);
    assert.equal(foreign.found, own.found);
  },
);

test('a configuration that is not valid is told once, with its place', async () => {
  using home = await doctorHome();
  writeFileSync(home.layout.settingsFile, 'on_new_push: stopp\n');

  assert.match(await home.state('config'), /^broken: config\/settings\.yaml:1:14: on_new_push has to be one of/);
  assert.equal(await home.state('model access'), 'warning: cannot be told while the configuration is not valid');
  writeFileSync(home.layout.settingsFile, '');
  writeFileSync(home.layout.reposFile, 'repos:\n  - nam: app\n');
  assert.match(await home.state('config'), /^broken: config\/repos\.yaml:2:5: the key nam is not known/);
  assert.equal(await home.state('gh'), 'warning: cannot be told while the configuration is not valid');
});

test('folders that are missing are made, and a file in the place of one is for a person', async () => {
  using home = await doctorHome();
  for (const folder of [home.layout.runs, home.layout.context]) rmSync(folder, { recursive: true });

  assert.equal(await home.state('folders'), 'warning: missing: context, runs');
  assert.equal(await home.mend('folders'), 'made context, runs');
  assert.equal(await home.state('folders'), 'ok: all there');
  rmSync(home.layout.runs, { recursive: true });
  writeFileSync(home.layout.runs, 'x');
  const inTheWay = await home.look('folders');
  assert.deepEqual([inTheWay.state, inTheWay.repair], ['broken', undefined]);
});

test('a file in the place of a folder that holds others is named, and left to a person', async () => {
  using home = await doctorHome();
  const spool = join(home.layout.state, 'spool');
  rmSync(spool, { recursive: true });
  writeFileSync(spool, 'x');

  const { state, found, repair } = await home.look('folders');

  assert.deepEqual([state, found, repair], ['broken', 'no folder, but something else: .state/spool', undefined]);
});

test('a repair that fails in whatever way is told of, and the others go on', async () => {
  const failing = result('folders', 'warning', 'x', '', async () => {
    throw new TypeError('odd');
  });
  const working = result('rights', 'warning', 'y', '', async () => 'closed it');

  const repaired = await repairAll([failing, working], limit());

  assert.deepEqual(repaired, [
    { name: 'folders', did: null, failed: 'odd' },
    { name: 'rights', did: 'closed it', failed: null },
  ]);
});

for (const name of ['token', 'service.lock', 'service.log', 'service-start.log', 'home.json', 'takt.db']) {
  test(`a folder in the place of ${name} is broken, since no service can start`, async () => {
    using home = await doctorHome();
    assert.match(await home.state('access'), /^ok/);
    const path = join(home.layout.state, name);
    rmSync(path, { force: true });
    mkdirSync(path);

    const { state, found, fix } = await home.look('access');

    assert.deepEqual([state, found], ['broken', `.state/${name} is a folder, where takt needs a file`]);
    assert.equal(fix, `Move ${path} away.`);
  });
}

test('what others may use of the token, the store and their folder is closed to them', async () => {
  using home = await doctorHome();
  const { token, database, state } = home.layout;
  writeFileSync(token, 'a'.repeat(64));
  chmodSync(token, 0o644);
  chmodSync(database, 0o660);
  chmodSync(state, 0o755);

  const { found, fix } = await home.look('rights');
  await home.mend('rights');

  assert.equal(found, 'others may use .state, .state/token, .state/takt.db');
  assert.ok(fix.includes(`chmod 700 ${state} && chmod 600 ${token}`), fix);
  assert.deepEqual(
    [state, token, database].map((path) => statSync(path).mode & 0o777),
    [0o700, 0o600, 0o600],
  );
  assert.match(await home.state('rights'), /^ok/);
});

test('what closes files to others is one command for a shell, whatever characters the home has', async () => {
  using home = await doctorHome();
  const place = home.path("my work's");
  renameSync(home.layout.home, place);
  const { token } = homeLayout(place);
  writeFileSync(token, 'a'.repeat(64));
  chmodSync(token, 0o644);

  const check = homeChecks(homeLayout(place), limit(), home.environment).find(({ label }) => label === 'rights')!;
  const { fix } = await check();
  execFileSync('sh', ['-c', fix.replaceAll('`', '')]);

  assert.equal(statSync(token).mode & 0o777, 0o600);
});

test('a configuration that others may read is closed to them, and a link is none of doctor’s', async () => {
  using home = await doctorHome();
  const { reposFile, settingsFile } = home.layout;
  for (const path of [reposFile, settingsFile]) chmodSync(path, 0o644);

  const { state, found, fix } = await home.look('rights');
  await home.mend('rights');
  const modes = [reposFile, settingsFile].map((path) => statSync(path).mode & 0o777);
  renameSync(reposFile, home.path('elsewhere.yaml'));
  chmodSync(home.path('elsewhere.yaml'), 0o644);
  symlinkSync(home.path('elsewhere.yaml'), reposFile);

  assert.deepEqual([state, found], ['warning', 'others may use config/repos.yaml, config/settings.yaml']);
  assert.equal(fix, `\`chmod 600 ${reposFile} && chmod 600 ${settingsFile}\``);
  assert.deepEqual(modes, [0o600, 0o600]);
  assert.match(await home.state('rights'), /^ok/);
});

test('a store that is none is broken, and one that is not made yet is fine', async () => {
  using home = await doctorHome();
  assert.match(await home.state('store'), /^ok: \d+\.\d KiB/);
  writeFileSync(home.layout.database, 'not SQLite at all'.repeat(100));

  assert.match(await home.state('store'), /^broken: .*takt\.db cannot be read: file is not a database/);
  rmSync(home.layout.database);
  assert.match(await home.state('store'), /^ok: not made yet/);
});

for (const name of ['settingsFile', 'reposFile'] as const) {
  test(`a pipe in the place of the ${name === 'reposFile' ? 'list of repos' : 'settings'} is no valid configuration, and nobody waits for it`, async () => {
    using home = await doctorHome();
    const path = home.layout[name];
    rmSync(path);
    makeFifo(path);

    const isAnswering = await doesHomeAnswer(home.layout, limit());
    const { state, found } = await home.look('config');

    assert.equal(isAnswering, true);
    assert.deepEqual([state, found], ['broken', `config/${basename(path)} is no regular file.`]);
    assert.throws(() => openConfig(home.layout)[name === 'reposFile' ? 'repos' : 'settings'](), {
      code: 'CONFIG_INVALID',
    });
    await assert.rejects(readFileText(path), { code: 'CONFIG_INVALID' });
  });
}

test('a store that is gone while root repos or workspaces are there is broken', async () => {
  using home = await doctorHome();
  rmSync(home.layout.database);
  assert.match(await home.state('store'), /^ok: not made yet/);

  mkdirSync(join(home.layout.workspaces, 'task'));
  mkdirSync(join(home.layout.roots, 'app'));

  assert.match(await home.state('store'), /^broken: .*takt\.db is gone, while root has app and workspaces has task$/);
});

test('a list of repos that is gone is broken where the store has root repos, and else empty', async () => {
  using home = await doctorHome();
  rmSync(home.layout.reposFile);
  assert.match(await home.state('config'), /^ok/);

  home.store((database) => insertRoot(database, { repo: 'app', upstream: '/up', defaultBranch: 'main' }));

  assert.equal(await home.state('config'), 'broken: config/repos.yaml is gone, and there are root repos of app');
});

test('a file in the place of a home is broken', async () => {
  using home = await doctorHome();
  writeFileSync(home.path('file'), '');
  const checks = homeChecks(homeLayout(home.path('file')), limit(), home.environment);

  const results = await Promise.all(checks.map(async (check) => check()));

  assert.deepEqual(
    results.filter(({ name }) => name === 'home').map(({ state, found }) => `${state}: ${found}`),
    [`broken: ${home.path('file')} is not a home of takt.`],
  );
});

test('the port is read in one way, whoever reads it', () => {
  const read = (text: string): number | undefined => servicePort({ TAKT_PORT: text });
  assert.deepEqual([servicePort({}), read(''), read('0'), read('8080'), read('65535')], [7433, 7433, 0, 8080, 65535]);
  assert.deepEqual(
    ['1e3', '0x50', ' 80', '65536', '-1', 'x'].map(read),
    Array.from({ length: 6 }, () => undefined),
  );
});
