import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { isAlive, identityOf } from '../../src/platform/process-identity.ts';
import { openHousehold, PROJECT, type Household } from '../driver/household.ts';
import { until } from '../driver/until.ts';
import { testNeeding } from '../driver/machine.ts';
import { makeFifo } from '../git/scratch.ts';
import { taktInTerminal } from '../cli/takt-process.ts';
import type { Report } from './doctor-report.ts';

const testWalled = testNeeding('bwrap');

async function examine(
  house: Household,
  ...words: string[]
): Promise<Report & { code: number; of(name: string): Report['checks'][number] }> {
  const { code, stdout, stderr } = await house.takt('doctor', '--json', ...words);
  assert.equal(stderr, '');
  const report = JSON.parse(stdout) as Report;
  return { ...report, code, of: (name) => report.checks.find((check) => check.name === name)! };
}

async function householdWithRepo(): Promise<Household> {
  const house = await openHousehold({ ANTHROPIC_API_KEY: 'sk-test' });
  await house.ok('repo', 'add', 'app', await house.upstream('app', { 'a.txt': 'a\n' }));
  await writeFile(join(house.environment['HOME']!, '.gitconfig'), '[user]\n\tname = Ada\n\temail = ada@example.org\n');
  return house;
}

async function killService(house: Household): Promise<void> {
  const service = identityOf(await house.servicePid())!;
  process.kill(service.pid, 'SIGKILL');
  await until('its end', () => (isAlive(service) ? undefined : true));
}

/** Each file below a folder with its mode and what is in it. */
function pictureOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map((name) => {
      const facts = lstatSync(join(folder, name));
      const text = facts.isFile()
        ? createHash('sha256')
            .update(readFileSync(join(folder, name)))
            .digest('hex')
        : '';
      return `${facts.mode.toString(8)} ${name} ${text}`;
    });
}

const leave = async (path: string): Promise<void> => {
  await mkdir(path, { recursive: true });
  const then = new Date(Date.now() - 3_600_000);
  await utimes(path, then, then);
};

testWalled('a service that runs well is well, with all that belongs to it', async () => {
  await using house = await householdWithRepo();

  const { code, isWorking, checks } = await examine(house);

  assert.deepEqual([code, isWorking], [0, true]);
  assert.deepEqual(
    checks.filter(({ state }) => state !== 'ok' && state !== 'absent').map(({ name, found }) => `${name}: ${found}`),
    [],
  );
  for (const name of ['takt', 'Node', 'git', 'Claude Code', 'disk', 'port', 'service', 'root repos'])
    assert.ok(
      checks.some((check) => check.name === name),
      name,
    );
});

test('doctor changes nothing; --fix mends what loses nothing, says what, and is quiet the second time', async () => {
  await using house = await householdWithRepo();
  await killService(house);
  const state = join(house.home, '.state');
  await rm(join(house.root('app'), 'hooks', 'pre-receive'));
  await rm(join(house.home, 'context'), { recursive: true });
  await chmod(join(state, 'token'), 0o644);
  await leave(join(house.home, 'root', '.new-x-1234'));
  await leave(join(house.home, 'runs', 'gone-1'));
  const before = pictureOf(house.home);

  const seen = await examine(house);
  const untouched = pictureOf(house.home);
  const mended = await examine(house, '--fix');
  const again = await examine(house, '--fix');

  const broken = ['folders', 'rights', 'service', 'root repos', 'half-made'];
  assert.deepEqual(untouched, before);
  assert.deepEqual(
    seen.checks.filter(({ isFixable }) => isFixable).map(({ name }) => name),
    broken,
  );
  assert.deepEqual(
    mended.checks.filter(({ fixed }) => fixed !== undefined).map(({ name }) => name),
    broken,
  );
  assert.equal(mended.of('root repos').fixed, 'put hooks and configuration of app back');
  assert.deepEqual(
    broken.map((name) => mended.of(name).state),
    broken.map(() => 'ok'),
  );
  assert.deepEqual([seen.code, mended.code], [0, 0]);
  // What could hold work is named, both times, and stays.
  assert.equal(mended.of('run folders').state, 'warning');
  assert.ok(again.of('run folders').fix.includes(`rm -rf ${join(house.home, 'runs', 'gone-1')}`));
  assert.deepEqual(
    again.checks.filter(({ fixed }) => fixed !== undefined),
    [],
  );
  // A service that starts finds everything as it should be.
  await house.ok('workspace', 'create', 'task', 'app');
  assert.equal((await examine(house)).of('service').state, 'ok');
});

test('a service that hangs is named with what ends it, and holds nothing up', async () => {
  await using house = await householdWithRepo();
  const pid = await house.servicePid();

  process.kill(pid, 'SIGSTOP');
  const seen = await examine(house, '--fix');
  process.kill(pid, 'SIGCONT');

  assert.equal(seen.of('service').state, 'warning');
  assert.match(seen.of('service').found, new RegExp(`process ${pid}\\) does not answer`));
  assert.match(seen.of('service').fix, new RegExp(`kill -9 ${pid}`));
  assert.equal(seen.of('root repos').state, 'ok');
  assert.equal((await examine(house)).of('service').state, 'ok');
});

test('a service of another version is to be restarted', async () => {
  await using house = await householdWithRepo();
  const file = join(house.home, '.state', 'service.json');
  const facts = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...facts, version: '0.0.1' }));

  const { of } = await examine(house);

  assert.match(of('service').found, /is version 0\.0\.1, while this takt is /);
  assert.match(of('service').fix, /takt service restart/);
});

test('a port that somebody else has is broken, and says who has it', async () => {
  await using house = await openHousehold();
  const free = await examine(house);
  const server = createServer().listen(house.port, '127.0.0.1');
  await once(server, 'listening');

  const taken = await examine(house);
  await new Promise((resolve) => server.close(resolve));

  assert.equal(free.of('port').state, 'ok');
  assert.deepEqual([taken.code, taken.of('port').state], [1, 'broken']);
  assert.match(taken.of('port').found, new RegExp(`^${house.port} is taken by process ${process.pid} `));
});

test('a file that cannot be read to its end holds neither the other checks nor the process', async () => {
  await using house = await householdWithRepo();
  const hook = join(house.root('app'), 'hooks', 'pre-receive');
  await rm(hook);
  makeFifo(hook);

  const { of } = await examine(house);

  assert.deepEqual([of('root repos').state, of('locks').state], ['warning', 'ok']);
  assert.match(of('root repos').found, /could not be looked at within/);
});

test('a key that only the shell has is told apart from one that the service has', async () => {
  await using house = await householdWithRepo();
  delete house.environment['ANTHROPIC_API_KEY'];
  await house.ok('service', 'restart');
  house.environment['ANTHROPIC_API_KEY'] = 'sk-test';

  const shellOnly = await examine(house);
  await house.ok('service', 'restart');
  const both = await examine(house);
  delete house.environment['ANTHROPIC_API_KEY'];
  const serviceOnly = await examine(house);

  assert.match(shellOnly.of('model access').found, /^the service: No key .* This shell has a key in the environment/);
  assert.match(shellOnly.of('model access').fix, /takt service restart/);
  assert.match(both.of('model access').found, /^a key in the environment, for https/);
  assert.equal(serviceOnly.of('model access').state, 'ok');
  assert.match(serviceOnly.of('model access').found, /^the service: a key in the environment/);
});

test('without a home, and with a configuration that is not valid, doctor says so and ends with 1', async () => {
  await using house = await householdWithRepo();
  await writeFile(join(house.home, 'config', 'repos.yaml'), 'repos:\n  - nam: app\n');
  const wrong = await examine(house);
  await house.ok('service', 'stop');
  await rename(house.home, `${house.home}-away`);

  const none = await examine(house, '--fix');

  assert.deepEqual([wrong.code, wrong.of('config').state, wrong.of('root repos').state], [1, 'broken', 'ok']);
  assert.match(wrong.of('config').found, /repos\.yaml:2:5/);
  assert.deepEqual([none.code, none.isWorking, none.of('home').state], [1, false, 'broken']);
  assert.match(none.of('home').fix, /takt init/);
});

const onlyRoot = { skip: process.getuid?.() === 0 ? false : 'only root can become another user' };

async function examineAsAnother(house: Household): Promise<Report & { code: unknown }> {
  const user = ['setpriv', '--reuid=61234', '--regid=61234', '--clear-groups', '--'];
  const child = spawn(
    user[0]!,
    [...user.slice(1), process.execPath, join(PROJECT, 'dist', 'takt.js'), 'doctor', '--json'],
    { env: { ...house.environment, HOME: '/nonexistent' }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { ...(JSON.parse(said) as Report), code };
}

test('an ordinary user gets an answer about a home that is not readable', onlyRoot, async () => {
  await using house = await householdWithRepo();
  await chmod(house.folder, 0o755);
  await chmod(house.home, 0o700);

  const { code, checks } = await examineAsAnother(house);

  assert.equal(code, 1);
  assert.match(checks.find(({ name }) => name === 'home')!.found, /may not be read or written by this user/);
  assert.equal(checks.find(({ name }) => name === 'Node')!.state, 'ok');
});

test('who may see a home of another user gets a whole report, which says whose it is', onlyRoot, async () => {
  await using house = await householdWithRepo();
  for (const folder of [house.folder, house.home]) await chmod(folder, 0o755);

  const closed = await examineAsAnother(house);
  for (const name of ['repos.yaml', 'settings.yaml']) await chmod(join(house.home, 'config', name), 0o644);
  const opened = await examineAsAnother(house);

  const home = closed.checks.find(({ name }) => name === 'home')!;
  assert.match(home.found, /belongs to user id 0, and this is user id 61234/);
  assert.match(home.fix, /sudo -u '#0' takt doctor/);
  assert.match(closed.checks.find(({ name }) => name === 'config')!.found, /config\/settings\.yaml may not be read/);
  const names = ['config', 'store', 'service', 'root repos', 'reach of app'];
  const named = (report: Report): string[] =>
    names.filter((name) => report.checks.some((check) => check.name === name));
  assert.deepEqual([named(closed), named(opened)], [names.slice(0, -1), names]);
});

test('on a terminal that waits, a line tells what is being looked at, and goes away', async () => {
  await using house = await householdWithRepo();
  const pid = await house.servicePid();
  const { HOME: home, TAKT_HOME: place, TAKT_PORT: port } = house.environment;

  process.kill(pid, 'SIGSTOP');
  const { screen } = await taktInTerminal(['doctor'], { env: { HOME: home!, TAKT_HOME: place!, TAKT_PORT: port! } });
  process.kill(pid, 'SIGCONT');

  assert.match(screen, /looking at: [^\n]*service/);
  assert.ok(screen.lastIndexOf('\r\u001b[K') > screen.lastIndexOf('looking at'), screen);
  assert.match(screen.slice(screen.lastIndexOf('\r\u001b[K')), /✓/);
});
