import assert from 'node:assert/strict';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import test from 'node:test';
import type { Household } from '../driver/household.ts';
import { openUnitHousehold } from '../driver/unit-household.ts';
import { reasonAgainstUserSystemd } from '../driver/user-systemd.ts';

const skip = (await reasonAgainstUserSystemd()) ?? false;

interface Found {
  readonly name: string;
  readonly state: string;
  readonly found: string;
  readonly fix: string;
}

async function unitOf(house: Household): Promise<Found> {
  const { checks } = JSON.parse((await house.takt('doctor', '--json')).stdout) as { checks: Found[] };
  return checks.find(({ name }) => name === 'unit')!;
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
