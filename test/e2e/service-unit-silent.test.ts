import assert from 'node:assert/strict';
import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'node:test';
import type { ServiceStatus } from '../../src/contract/service.ts';
import { openHousehold, type Household, type Said } from '../driver/household.ts';

const LIMIT_MS = 10_000;

/** Where this home's unit is, with one that takt would write. */
async function withUnit(house: Household): Promise<string> {
  const path = join(house.environment['HOME']!, '.config', 'systemd', 'user', 'takt-service.service');
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, await house.ok('service', 'install', '--print'));
  return path;
}

test('a systemd that says nothing holds up no command, and the service starts without it', async () => {
  await using house = await openHousehold();
  await withUnit(house);
  const programs = join(house.folder, 'bin');
  await mkdir(programs);
  await writeFile(join(programs, 'systemctl'), '#!/bin/sh\nsleep 600\n');
  await chmod(join(programs, 'systemctl'), 0o755);
  house.environment['PATH'] = `${programs}:${house.environment['PATH']}`;

  const startedAtMs = Date.now();
  const listed = await house.takt('repo', 'list');
  const tookMs = Date.now() - startedAtMs;
  const status = await house.json<ServiceStatus>('service', 'status');
  const installed = await house.takt('service', 'install');

  assert.equal(listed.code, 0, listed.stderr);
  assert.ok(tookMs < LIMIT_MS, `${tookMs} ms`);
  assert.match(listed.stderr, /The user's systemd did not answer within 4 s\. takt goes on without a unit\./);
  assert.equal(status.unit, null);
  assert.equal(installed.code, 7);
  assert.match(installed.stderr, /The user's systemd did not answer within 4 s\./);
});

test('units that cannot be read keep no service from starting, and install names what is in the way', async () => {
  await using house = await openHousehold();
  const path = await withUnit(house);
  const folder = dirname(path);
  const programs = join(house.folder, 'bin');
  await mkdir(programs);
  await writeFile(join(programs, 'systemctl'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  house.environment['PATH'] = `${programs}:${house.environment['PATH']}`;
  const tried = async (): Promise<[listed: Said, installed: Said]> => {
    await house.takt('service', 'stop');
    return [await house.takt('repo', 'list'), await house.takt('service', 'install')];
  };

  await rename(path, `${path}.away`);
  await mkdir(path);
  const [withFolder, overFolder] = await tried();
  await rm(folder, { recursive: true });
  await symlink('user', folder);
  const [withLoop, overLoop] = await tried();

  assert.deepEqual([withFolder.code, withLoop.code], [0, 0], withFolder.stderr + withLoop.stderr);
  assert.match(withFolder.stderr, /takt-service\.service is a folder, and no unit\. takt goes on without a unit\./);
  assert.match(withLoop.stderr, /systemd\/user is a link that leads in a circle\. takt goes on without a unit\./);
  assert.deepEqual([overFolder.code, overLoop.code], [7, 7], overFolder.stderr + overLoop.stderr);
  assert.match(overFolder.stderr, /takt-service\.service is a folder, and no unit\.\n.*namei -l/);
  assert.match(overLoop.stderr, /systemd\/user is a link that leads in a circle\.\n.*namei -l/);
});
