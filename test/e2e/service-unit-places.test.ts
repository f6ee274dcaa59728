import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import test from 'node:test';
import type { ServiceStatus } from '../../src/contract/service.ts';
import type { InstalledUnit, RemovedUnit } from '../../src/contract/service-unit.ts';
import { openHousehold, PROJECT } from '../driver/household.ts';
import { openUnitHousehold } from '../driver/unit-household.ts';
import { reasonAgainstUserSystemd } from '../driver/user-systemd.ts';

const skip = (await reasonAgainstUserSystemd()) ?? false;

test('without a systemd of the user, install says what to do instead and leaves nothing', async () => {
  await using house = await openHousehold();

  const { code, stderr } = await house.takt('service', 'install');
  const printed = await house.ok('service', 'install', '--print');

  assert.equal(code, 69);
  assert.match(stderr, /takt service start.*\n?.*@reboot TAKT_HOME=\S+\/home \S+\/takt service start/s);
  assert.match(printed, /^KillMode=process$/m);
  assert.equal(existsSync(join(house.folder, 'user', '.config')), false);
});

test('a relative path among the variables of the shell is that of the folder in which install is called', async () => {
  await using house = await openHousehold({ SSL_CERT_FILE: 'rel/ca.pem' });

  const printed = await house.ok('service', 'install', '--print');

  assert.ok(printed.split('\n').includes(`Environment=SSL_CERT_FILE=${join(house.folder, 'rel', 'ca.pem')}`), printed);
});

test('a unit that is not of takt is not written over, and taking it away is enough', { skip }, async () => {
  await using unit = await openUnitHousehold();
  const { house, path } = unit;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, '[Service]\nExecStart=/bin/true\n');

  const refused = await house.takt('service', 'install', '--force');
  const kept = await readFile(path, 'utf8');
  await rm(path);
  const installed = await house.json<InstalledUnit>('service', 'install', '--no-start');

  assert.equal(refused.code, 5);
  assert.match(refused.stderr, /is a unit that takt did not write/);
  assert.equal(kept, '[Service]\nExecStart=/bin/true\n');
  assert.equal(installed.service, 'left');
  assert.equal((await unit.systemd.systemctl('is-enabled', 'takt-service')).stdout, 'disabled\n');
});

test(
  'a second home, at a path full of blanks and signs, gets a unit of its own and leaves the first alone',
  { skip },
  async () => {
    await using unit = await openUnitHousehold();
    const { house } = unit;
    await house.ok('service', 'install');
    const first = await readFile(unit.path, 'utf8');
    const other = join(house.folder, `o'ther "home" 100% $HOME`);
    const ofOther = ['--home', other];
    house.environment['TAKT_PORT'] = '0';

    await house.ok('init', other);
    const installed = await house.json<InstalledUnit>('service', 'install', ...ofOther);
    const again = await house.json<InstalledUnit>('service', 'install', ...ofOther);
    const status = await house.json<ServiceStatus>('service', 'status', ...ofOther);
    const ofFirst = await house.json<ServiceStatus>('service', 'status');
    const removed = await house.json<RemovedUnit>('service', 'uninstall', ...ofOther);

    assert.match(installed.unit, /^takt-service-[0-9a-f]{8}\.service$/);
    assert.deepEqual([again.unit, again.service], [installed.unit, 'running']);
    assert.deepEqual([status.home, status.unit], [other, installed.unit]);
    assert.deepEqual([ofFirst.home, ofFirst.unit], [house.home, 'takt-service.service']);
    assert.deepEqual([removed.unit, existsSync(installed.path)], [installed.unit, false]);
    assert.equal(await readFile(unit.path, 'utf8'), first);
  },
);

test('an installation that cannot start is taken back, and who served the home serves it again', { skip }, async () => {
  await using unit = await openUnitHousehold();
  const { house, systemd } = unit;
  await house.ok('service', 'start');
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };

  house.environment['TAKT_PORT'] = String(port);
  const failed = await house.takt('service', 'install');
  taken.close();
  const status = await house.json<ServiceStatus>('service', 'status');

  assert.equal(failed.code, 69, failed.stderr);
  assert.match(failed.stderr, /The service did not start as takt-service\.service\./);
  assert.equal(existsSync(unit.path), false);
  assert.equal((await systemd.systemctl('cat', 'takt-service')).code, 1);
  assert.deepEqual([status.unit, status.port], [null, house.port]);
});

test('a link to nothing in the place of the unit is named, and taking it away is enough', { skip }, async () => {
  await using unit = await openUnitHousehold();
  const { house, path } = unit;
  await mkdir(dirname(path), { recursive: true });
  await symlink('/nonexistent/takt', path);

  const refused = await house.takt('service', 'install');
  const kept = await readlink(path);
  await rm(path);
  const installed = await house.json<InstalledUnit>('service', 'install', '--no-start');

  assert.equal(refused.code, 5);
  assert.match(
    refused.stderr,
    /user\/takt-service\.service is a link to \/nonexistent\/takt, where nothing is\.\n.*remove that link/,
  );
  assert.equal(kept, '/nonexistent/takt');
  assert.equal(installed.file, 'written');
});

test('where the disk of the unit is full, that one is named, and not that of the home', { skip }, async () => {
  await using unit = await openUnitHousehold();
  const { house, path } = unit;
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const script = `mount -t tmpfs -o size=64k tmpfs "$0"
    head -c 100000 /dev/zero > "$0/filler" 2> /dev/null
    "$@" service install
    code=$?
    ls "$0"
    exit $code`;

  const words = ['--mount', 'sh', '-c', script, folder, process.execPath, join(PROJECT, 'dist', 'takt.js')];
  const { status, stdout, stderr } = spawnSync('unshare', words, { env: house.environment, encoding: 'utf8' });

  assert.equal(status, 7, stderr);
  assert.equal(stderr.split('\n')[0], `takt: The disk of ${folder} is full.`);
  assert.equal(stdout, 'filler\n');
});

test('lingering is told, enabled when asked for, and named as left by uninstall', { skip }, async () => {
  await using unit = await openUnitHousehold();
  const { house } = unit;

  const without = await house.json<InstalledUnit>('service', 'install', '--no-start');
  const withLinger = await house.json<InstalledUnit>('service', 'install', '--linger');
  const text = await house.ok('service', 'install');
  const removed = await house.json<RemovedUnit>('service', 'uninstall');

  assert.deepEqual([without.linger, withLinger.linger], ['off', 'on']);
  assert.match(text, /Lingering is on: it starts with the machine/);
  assert.match(removed.left.join('\n'), /loginctl disable-linger/);
});

test('what cannot be had is said before anything is installed, or taken back', { skip }, async () => {
  await using unit = await openUnitHousehold();
  const { house } = unit;
  const bus = house.environment['DBUS_SYSTEM_BUS_ADDRESS']!;

  house.environment['DBUS_SYSTEM_BUS_ADDRESS'] = `unix:path=${join(house.folder, 'nothing')}`;
  const noLinger = await house.takt('service', 'install', '--linger');
  const afterLinger = existsSync(unit.path);
  const unknown = await house.json<InstalledUnit>('service', 'install', '--no-start');
  house.environment['DBUS_SYSTEM_BUS_ADDRESS'] = bus;
  await house.ok('service', 'uninstall');
  house.environment['XDG_CONFIG_HOME'] = join(house.folder, 'elsewhere');
  const elsewhere = await house.takt('service', 'install', '--json');
  house.environment['TAKT_PORT'] = 'many';
  const noPort = await house.takt('service', 'install', '--print');

  assert.deepEqual([noLinger.code, afterLinger], [7, false]);
  assert.match(noLinger.stderr, /Lingering could not be enabled for \S+; nothing was installed\./);
  assert.equal(unknown.linger, 'unknown');
  assert.equal(elsewhere.code, 7);
  assert.match(
    (JSON.parse(elsewhere.stderr) as { fault: { message: string } }).fault.message,
    /^The user's systemd does not take \S+elsewhere\/systemd\/user\/takt-service\.service\.$/,
  );
  assert.equal(existsSync(join(house.folder, 'elsewhere', 'systemd', 'user', 'takt-service.service')), false);
  assert.deepEqual([noPort.code, noPort.stderr.split('\n')[0]], [2, 'takt: TAKT_PORT is many, which is no port.']);
});
