import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import test from 'node:test';
import type { Run } from '../../src/contract/run.ts';
import type { ServiceStatus } from '../../src/contract/service.ts';
import type { InstalledUnit, RemovedUnit } from '../../src/contract/service-unit.ts';
import type { Household } from '../driver/household.ts';
import { until } from '../driver/until.ts';
import { openUnitHousehold } from '../driver/unit-household.ts';
import { reasonAgainstUserSystemd } from '../driver/user-systemd.ts';

const skip = (await reasonAgainstUserSystemd()) ?? false;

const statusOf = (house: Household): Promise<ServiceStatus> => house.json<ServiceStatus>('service', 'status');
const runOf = (house: Household): Promise<Run> => house.json<Run>('run', 'show', 'task');

test('the unit takes a running service over, and a step goes on through restarts of the unit', { skip }, async () => {
  await using unit = await openUnitHousehold();
  const { house, systemd } = unit;
  await house.ok('repo', 'add', 'app', await house.upstream('app', { 'file.txt': 'text\n' }));
  await house.ok('workspace', 'create', 'task', 'app');
  await house.ok('workspace', 'pipeline-set', 'task', 'run:for i in $(seq 1 60); do echo line $i; sleep 0.1; done');
  const outside = await house.servicePid();

  const installed = await house.json<InstalledUnit>('service', 'install');
  const byUnit = await statusOf(house);
  await house.ok('workspace', 'trigger', 'task');
  await until('the step to print', async () =>
    (await house.takt('run', 'logs', 'task')).stdout.includes('line 3') ? true : undefined,
  );
  const restarted = await systemd.systemctl('restart', 'takt-service');
  await until('the service to answer', async () =>
    (await house.takt('service', 'status')).code === 0 ? true : undefined,
  );
  const after = await statusOf(house);
  await house.ok('service', 'restart');
  const again = await statusOf(house);
  const run = await until('the run to pass', async () => {
    const found = await runOf(house);
    return found.state === 'passed' ? found : undefined;
  });

  assert.deepEqual(
    [installed.unit, installed.path, installed.file, installed.service, installed.stoppedPid],
    ['takt-service.service', unit.path, 'written', 'started', outside],
  );
  assert.equal((await stat(unit.path)).mode & 0o777, 0o600);
  assert.equal((await systemd.systemctl('is-enabled', 'takt-service')).stdout, 'enabled\n');
  assert.deepEqual(
    [byUnit.unit, restarted.code, after.unit, again.unit],
    Array(4).fill('takt-service.service').with(1, 0),
  );
  assert.equal(new Set([outside, byUnit.pid, after.pid, again.pid]).size, 4);
  assert.equal(run.steps.find(({ kind }) => kind === 'command')?.attempts.length, 1);
  const lines = [...(await house.ok('run', 'logs', 'task')).matchAll(/^.*\bline (\d+)$/gm)].map(([, number]) =>
    Number(number),
  );
  assert.deepEqual(
    lines,
    Array.from({ length: 60 }, (_, index) => index + 1),
  );
});

test('start and stop go through the unit, whoever starts, and a stopped service stays down', { skip }, async () => {
  await using unit = await openUnitHousehold();
  const { house, systemd } = unit;
  const activeState = async (): Promise<string> =>
    (await systemd.systemctl('show', 'takt-service', '--property=ActiveState', '--value')).stdout.trim();

  await house.ok('service', 'install');
  const text = await house.ok('service', 'status');
  const startedAgain = await house.ok('service', 'start');
  const { pid } = await statusOf(house);
  const stopped = await house.json<{ pid: number }>('service', 'stop');
  const afterStop = await activeState();
  await house.ok('repo', 'list');
  const started = await statusOf(house);
  process.kill(started.pid, 'SIGKILL');
  const mended = await until('systemd to start it again', async () => {
    const said = await house.takt('service', 'status', '--json');
    const status = said.code === 0 ? (JSON.parse(said.stdout) as ServiceStatus) : undefined;
    return status !== undefined && status.pid !== started.pid ? status : undefined;
  });

  assert.match(text, /run by +the unit takt-service\.service/);
  assert.match(startedAgain, /^It runs already\.\n/);
  assert.deepEqual([stopped.pid, afterStop], [pid, 'inactive']);
  assert.equal(started.unit, 'takt-service.service', 'a command that needs the service starts it by the unit');
  assert.equal(mended.unit, 'takt-service.service');
});

test(
  'installing again changes nothing, an edited unit is kept, and uninstalling says what is left',
  { skip },
  async () => {
    await using unit = await openUnitHousehold({ HTTPS_PROXY: 'http://127.0.0.1:9', GH_TOKEN: 'ghp_0123456789abcdef' });
    const { house, systemd } = unit;

    const first = await house.ok('service', 'install');
    const { pid } = await statusOf(house);
    const again = await house.json<InstalledUnit>('service', 'install');
    house.environment['HTTPS_PROXY'] = 'http://127.0.0.1:10';
    const changed = await house.json<InstalledUnit>('service', 'install');
    const environment = await systemd.systemctl('show', 'takt-service', '--property=Environment', '--value');
    const written = await readFile(unit.path, 'utf8');
    await writeFile(unit.path, written.replace('RestartSec=5', 'RestartSec=9'));
    const edited = await house.takt('service', 'install');
    const kept = await house.takt('service', 'uninstall');
    const forced = await house.json<InstalledUnit>('service', 'install', '--force');
    const removed = await house.json<RemovedUnit>('service', 'uninstall');
    const none = await house.ok('service', 'uninstall');

    assert.match(first, /^Wrote the unit takt-service\.service\. The service runs by it now/);
    assert.match(first, /HTTPS_PROXY +http:\/\/127\.0\.0\.1:9\n/);
    assert.match(first, /GH_TOKEN: a secret\. `gh auth login`/);
    assert.match(first, /The service ends with your last session/);
    assert.deepEqual([again.file, again.service], ['unchanged', 'running']);
    assert.deepEqual([changed.file, changed.service], ['replaced', 'restarted']);
    assert.notEqual((await house.takt('service', 'status')).code, 0);
    assert.match(environment.stdout, /HTTPS_PROXY=http:\/\/127\.0\.0\.1:10/);
    assert.doesNotMatch(written, /ghp_/);
    assert.deepEqual([edited.code, kept.code], [5, 5]);
    assert.match(edited.stderr, /was edited since takt wrote it/);
    assert.equal(forced.file, 'replaced');
    assert.deepEqual([removed.unit, removed.isStopped], ['takt-service.service', true]);
    assert.match(removed.left.join(), /The home .* is as it was/);
    assert.match(none, / has no unit\.\n$/);
    assert.equal((await systemd.systemctl('cat', 'takt-service')).code, 1);
    assert.ok(pid > 0);
  },
);
