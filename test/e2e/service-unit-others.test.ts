import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { isSameUnit } from '../../src/cli/service-unit/unit-text.ts';
import type { ServiceStatus } from '../../src/contract/service.ts';
import type { InstalledUnit, RemovedUnit } from '../../src/contract/service-unit.ts';
import { openHousehold, type Household } from '../driver/household.ts';
import { openUnitHousehold } from '../driver/unit-household.ts';
import { reasonAgainstUserSystemd, type UserSystemd } from '../driver/user-systemd.ts';

const skip = (await reasonAgainstUserSystemd()) ?? false;

/** Another home of the same user. */
const openNeighbour = async (systemd: UserSystemd, extra: Record<string, string> = {}): Promise<Household> =>
  openHousehold({ ...systemd.environment, ...extra }, { folder: await mkdtemp(join(tmpdir(), 'takt-next-')) });

const factsOf = async (systemd: UserSystemd, name = 'takt-service'): Promise<string> =>
  (await systemd.systemctl('show', name, '--property=MainPID,ActiveState,UnitFileState')).stdout;

test('a home whose unit folder is not that of systemd leaves the unit of another home alone', { skip }, async () => {
  await using unit = await openUnitHousehold();
  const { house, systemd } = unit;
  await house.ok('service', 'install');
  const before = await factsOf(systemd);
  const elsewhere = join(house.folder, 'elsewhere');
  await using next = await openNeighbour(systemd, { XDG_CONFIG_HOME: elsewhere });
  const path = join(elsewhere, 'systemd', 'user', 'takt-service.service');

  const installed = await next.takt('service', 'install', '--linger');
  const afterInstall = await factsOf(systemd);
  const wrote = existsSync(path);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, await next.ok('service', 'install', '--print'));
  const removed = await next.json<RemovedUnit>('service', 'uninstall');

  assert.equal(installed.code, 5, installed.stderr);
  assert.match(
    installed.stderr,
    /systemd has takt-service\.service from \S+user\/takt-service\.service, and would not/,
  );
  assert.equal(wrote, false);
  assert.match(before, /ActiveState=active\n/);
  assert.match(before, /UnitFileState=enabled\n/);
  assert.equal(afterInstall, before);
  assert.deepEqual([removed.unit, removed.isStopped, existsSync(path)], ['takt-service.service', false, false]);
  assert.equal(await factsOf(systemd), before);
});

test('two homes that install for the first time at once get a unit each', { skip }, async () => {
  await using unit = await openUnitHousehold();
  const { house, systemd } = unit;
  await using next = await openNeighbour(systemd);
  const homes = [house, next];

  for (let round = 0; round < 2; round += 1) {
    const installed = await Promise.all(homes.map((each) => each.json<InstalledUnit>('service', 'install')));
    const statuses = await Promise.all(homes.map((each) => each.json<ServiceStatus>('service', 'status')));
    const files = (await readdir(dirname(unit.path))).filter((name) => name.endsWith('.service'));
    for (const each of homes) await each.ok('service', 'uninstall');

    assert.deepEqual(files.toSorted(), installed.map((each) => each.unit).toSorted());
    assert.equal(new Set(files).size, 2);
    assert.deepEqual(
      statuses.map((status) => [status.home, status.unit]),
      homes.map(({ home }, index) => [home, installed[index]?.unit]),
    );
  }
});

test('an installation that fails leaves lingering as it was, and the earlier unit runs again', { skip }, async () => {
  await using unit = await openUnitHousehold();
  const { house, systemd } = unit;
  await house.ok('service', 'install');
  const written = await readFile(unit.path, 'utf8');
  const taken = createServer().listen(0, '127.0.0.1').unref();
  await once(taken, 'listening');

  house.environment['TAKT_PORT'] = String((taken.address() as { port: number }).port);
  const failed = await house.takt('service', 'install', '--linger');
  const status = await house.json<ServiceStatus>('service', 'status');
  house.environment['TAKT_PORT'] = String(house.port);
  const lingers = await house.json<InstalledUnit>('service', 'install');
  taken.close();

  assert.equal(failed.code, 69, failed.stderr);
  assert.deepEqual([status.unit, status.port], ['takt-service.service', house.port]);
  assert.equal(await readFile(unit.path, 'utf8'), written);
  assert.match(await factsOf(systemd), /UnitFileState=enabled\n/);
  assert.deepEqual([lingers.linger, lingers.file, lingers.service], ['off', 'unchanged', 'running']);
});

test('a service that runs by an earlier text is told with --no-start, and restarted without', { skip }, async () => {
  await using unit = await openUnitHousehold();
  const { house } = unit;
  await house.ok('service', 'install');
  const hasProxy = async (): Promise<boolean> =>
    (await readFile(`/proc/${await house.servicePid()}/environ`, 'utf8')).includes('HTTPS_PROXY=http://127.0.0.1:9\0');

  house.environment['HTTPS_PROXY'] = 'http://127.0.0.1:9';
  const text = await house.ok('service', 'install', '--no-start');
  const left = await house.json<InstalledUnit>('service', 'install', '--no-start');
  const proxyBefore = await hasProxy();
  const installed = await house.json<InstalledUnit>('service', 'install');
  const proxyAfter = await hasProxy();
  const again = await house.json<InstalledUnit>('service', 'install');

  assert.match(text, /It is enabled, and the service runs by it as it was before\.\n/);
  assert.match(text, /`takt service restart` lets it run by the new one/);
  assert.deepEqual([left.isEnabled, left.isActive, left.isStale, proxyBefore], [true, true, true, false]);
  assert.deepEqual([installed.file, installed.service, installed.isStale], ['unchanged', 'restarted', false]);
  assert.equal(proxyAfter, true);
  assert.equal(again.service, 'running');
});

test(
  'a service that runs by a unit as somebody edited it is restarted for what is written over that',
  { skip },
  async () => {
    await using unit = await openUnitHousehold();
    const { house, systemd } = unit;
    await house.ok('service', 'install');
    const written = await readFile(unit.path, 'utf8');
    const edit = async (): Promise<void> => {
      const text = await readFile(unit.path, 'utf8');
      await writeFile(unit.path, text.replace(/^KillMode/m, 'Environment=HTTPS_PROXY=http://127.0.0.1:9\nKillMode'));
      await systemd.systemctl('daemon-reload');
      await house.ok('service', 'restart');
    };
    const hasProxy = async (): Promise<boolean> =>
      (await readFile(`/proc/${await house.servicePid()}/environ`, 'utf8')).includes('HTTPS_PROXY=');

    await edit();
    const edited = await hasProxy();
    const forced = await house.json<InstalledUnit>('service', 'install', '--force');
    const afterForce = await hasProxy();
    const again = await house.json<InstalledUnit>('service', 'install', '--force');
    await edit();
    const left = await house.json<InstalledUnit>('service', 'install', '--force', '--no-start');
    const installed = await house.json<InstalledUnit>('service', 'install');
    const afterInstall = await hasProxy();

    assert.deepEqual([edited, afterForce, afterInstall], [true, false, false]);
    assert.deepEqual([forced.file, forced.service, forced.isStale], ['replaced', 'restarted', false]);
    assert.deepEqual([again.file, again.service], ['unchanged', 'running']);
    assert.deepEqual([left.file, left.service, left.isStale], ['replaced', 'left', true]);
    assert.deepEqual([installed.file, installed.service, installed.isStale], ['unchanged', 'restarted', false]);
    assert.ok(isSameUnit(await readFile(unit.path, 'utf8'), written));
  },
);

test('a unit file that was removed behind systemd is no obstacle', { skip }, async () => {
  await using unit = await openUnitHousehold();
  const { house } = unit;
  await house.ok('service', 'install');
  await rm(unit.path);

  const removed = await house.ok('service', 'uninstall');
  const installed = await house.json<InstalledUnit>('service', 'install');

  assert.match(removed, / has no unit\.\n$/);
  assert.deepEqual([installed.file, installed.isActive], ['written', true]);
});
