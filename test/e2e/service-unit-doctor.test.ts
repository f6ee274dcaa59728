import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFile, cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { PROJECT, type Household } from '../driver/household.ts';
import { openUnitHousehold } from '../driver/unit-household.ts';
import { reasonAgainstUserSystemd } from '../driver/user-systemd.ts';

const skip = (await reasonAgainstUserSystemd()) ?? false;

interface Found {
  readonly name: string;
  readonly state: string;
  readonly found: string;
  readonly fix: string;
}

/** What doctor finds of the service and its unit, and how it ends. */
async function looked(house: Household): Promise<{ code: number; service: Found; unit: Found }> {
  const { code, stdout } = await house.takt('doctor', '--json');
  const { checks } = JSON.parse(stdout) as { checks: Found[] };
  const named = (wanted: string): Found => checks.find(({ name }) => name === wanted)!;
  return { code, service: named('service'), unit: named('unit') };
}

const unitOf = async (house: Household): Promise<Found> => (await looked(house)).unit;

/** A second checkout of takt, with a Node of its own. */
async function copyCheckout(folder: string): Promise<(env: Record<string, string>, ...words: string[]) => number> {
  await mkdir(folder);
  for (const name of ['src', 'dist', 'templates', 'package.json'])
    await cp(join(PROJECT, name), join(folder, name), { recursive: true });
  await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  await copyFile(process.execPath, join(folder, 'node'));
  return (env, ...words) =>
    spawnSync(join(folder, 'node'), [join(folder, 'dist', 'takt.js'), ...words], { env, cwd: folder }).status ?? 255;
}

test('doctor looks at the unit, and says what mends each thing that is wrong', { skip }, async () => {
  await using unit = await openUnitHousehold();
  const { house, systemd } = unit;

  const none = await unitOf(house);
  await house.ok('service', 'install', '--linger');
  const fine = await unitOf(house);
  await systemd.systemctl('disable', 'takt-service');
  const text = await readFile(unit.path, 'utf8');
  await writeFile(unit.path, text.replace(/ExecStart=\S+/, 'ExecStart=/nonexistent/node'));
  const edited = await unitOf(house);
  await house.ok('service', 'stop');
  await rm(unit.path);
  await systemd.systemctl('daemon-reload');
  await writeFile(unit.path, text);
  const moved = `${house.home}-moved`;
  await rename(house.home, moved);
  house.environment['TAKT_HOME'] = moved;
  const orphaned = await unitOf(house);
  await rename(moved, house.home);
  house.environment['TAKT_HOME'] = house.home;

  assert.deepEqual([none.state, fine.state], ['absent', 'ok'], fine.found);
  assert.equal(edited.state, 'warning');
  assert.match(edited.found, /starts \/nonexistent\/node, which is not there; it was edited/);
  assert.match(edited.found, /has changed since systemd read it; it does not start with your session/);
  assert.match(edited.fix, /install --force.*systemctl --user edit.*daemon-reload.*systemctl --user enable/);
  assert.equal(orphaned.state, 'warning');
  assert.match(orphaned.found, /takt-service\.service is that of \S+\/home, which is not there/);
});

test('a unit whose checkout is gone is broken, and who needs the service is told what mends it', { skip }, async () => {
  await using unit = await openUnitHousehold();
  const { house, systemd } = unit;
  const checkout = join(house.folder, 'checkout');
  const takt = await copyCheckout(checkout);
  assert.equal(takt(house.environment, 'service', 'install', '--linger'), 0);
  await rename(checkout, join(house.folder, 'elsewhere'));

  const running = await looked(house);
  await house.ok('service', 'stop');
  const stopped = await looked(house);
  const listed = await house.takt('repo', 'list');
  // Else systemd lets the next start wait until its own next try is due.
  await systemd.systemctl('stop', 'takt-service');
  const asJson = await house.takt('repo', 'list', '--json');
  await systemd.systemctl('stop', 'takt-service');
  await house.ok('service', 'install');
  const mended = await looked(house);

  assert.deepEqual([running.code, running.unit.state, running.service.state], [1, 'broken', 'warning']);
  assert.match(running.unit.found, /it starts \S+\/checkout\/node, which is not there/);
  assert.match(
    running.service.found,
    /^process \d+ answers, .* was started from \S+\/checkout\/node, which is not there$/,
  );
  assert.match(running.service.fix, /^`takt service install` /);
  assert.deepEqual([stopped.code, stopped.unit.state, stopped.service.state], [1, 'broken', 'warning']);
  assert.match(stopped.service.found, /^does not run, and cannot: takt-service\.service starts \S+\/checkout\/node, /);
  assert.match(stopped.service.fix, /^`takt service install` /);
  assert.equal(listed.code, 7);
  assert.match(listed.stderr, /`takt service install` .*`takt doctor`/);
  const { fault } = JSON.parse(asJson.stderr) as { fault: { code: string; hint: string } };
  assert.equal(fault.code, 'UNIT_FAILED');
  assert.match(fault.hint, /`takt service install` .*`takt doctor`/);
  assert.deepEqual([mended.unit.state, mended.service.state], ['ok', 'ok'], mended.unit.found);
});

test('where systemd starts by a unit what its file does not name, that is told', { skip }, async () => {
  await using unit = await openUnitHousehold();
  const { house, systemd } = unit;
  await house.ok('service', 'install', '--linger');
  await house.ok('service', 'stop');
  await mkdir(`${unit.path}.d`);
  await writeFile(
    join(`${unit.path}.d`, 'own.conf'),
    '[Service]\nExecStart=\nExecStart=/nonexistent/takt service run\n',
  );
  await systemd.systemctl('daemon-reload');

  const found = await looked(house);

  assert.deepEqual([found.code, found.unit.state, found.service.state], [1, 'broken', 'warning']);
  assert.match(found.unit.found, /systemd starts \/nonexistent\/takt by it, which is not there/);
  assert.match(found.unit.fix, /`systemctl --user cat takt-service\.service` shows where/);
});

test('a service that runs outside its unit is not said to run by it', { skip }, async () => {
  await using unit = await openUnitHousehold();
  const { house } = unit;
  await house.ok('service', 'install', '--linger');
  const runtime = house.environment['XDG_RUNTIME_DIR']!;

  house.environment['XDG_RUNTIME_DIR'] = '/nonexistent';
  await house.ok('service', 'restart');
  const pid = await house.servicePid();
  house.environment['XDG_RUNTIME_DIR'] = runtime;
  const outside = await unitOf(house);
  await house.ok('service', 'restart');
  const inside = await unitOf(house);
  await house.ok('service', 'stop');
  const stopped = await unitOf(house);

  assert.equal(outside.state, 'warning');
  assert.equal(outside.found, `takt-service.service: the service runs outside it, as process ${pid}`);
  assert.equal(outside.fix, '`takt service restart` hands it over.');
  assert.deepEqual([inside.state, stopped.state], ['ok', 'ok'], inside.found + stopped.found);
  assert.match(inside.found, /^takt-service\.service runs the service/);
  assert.match(stopped.found, /^takt-service\.service starts the service/);
});
