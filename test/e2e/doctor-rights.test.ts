import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { lchownSync, readdirSync } from 'node:fs';
import { chmod, chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openHousehold, PROJECT, type Household } from '../driver/household.ts';
import { testNeeding } from '../driver/machine.ts';
import type { Report } from './doctor-report.ts';

const test = testNeeding('setpriv');
const onlyRoot = { skip: process.getuid?.() === 0 ? false : 'only root can give a file away' };

const USER = 61234;

function giveAll(folder: string): void {
  for (const name of ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })])
    lchownSync(join(folder, name), USER, USER);
}

/** A home of an ordinary user with a root repo, whose service has ended. */
async function householdOfUser(...repos: string[]): Promise<Household> {
  const house = await openHousehold({ ANTHROPIC_API_KEY: 'sk-test' });
  for (const repo of ['app', ...repos])
    await house.ok('repo', 'add', repo, await house.upstream(repo, { 'a.txt': 'a\n' }));
  await house.ok('service', 'stop');
  await writeFile(join(house.environment['HOME']!, '.gitconfig'), '[user]\n\tname = Ada\n\temail = ada@example.org\n');
  giveAll(house.folder);
  return house;
}

async function examine(
  house: Household,
): Promise<Report & { code: unknown; of(name: string): Report['checks'][number] }> {
  const user = [`--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', '--'];
  const takt = [process.execPath, join(PROJECT, 'dist', 'takt.js'), 'doctor', '--json'];
  const child = spawn('setpriv', [...user, ...takt], { env: house.environment, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  const report = JSON.parse(said) as Report;
  return { ...report, code, of: (name) => report.checks.find((check) => check.name === name)! };
}

test('what root has left in a home is broken, named, and given back by one command', onlyRoot, async () => {
  await using house = await householdOfUser();
  const state = join(house.home, '.state');
  const well = await examine(house);
  await writeFile(join(state, 'service-start.log'), '');
  const names = ['token', 'service.lock', 'service.log', 'service-start.log', 'tmp', 'home.json', 'takt.db'];
  for (const name of names) {
    await chown(join(state, name), 0, 0);
    await chmod(join(state, name), name === 'tmp' ? 0o700 : 0o600);
  }

  const { code, of } = await examine(house);
  giveAll(state);
  const again = await examine(house);

  assert.deepEqual([well.code, well.of('access').state], [0, 'ok']);
  assert.deepEqual([code, of('access').state], [1, 'broken']);
  for (const name of names) assert.ok(of('access').found.includes(`.state/${name} belongs to user id 0`), name);
  assert.equal(of('access').fix, `\`sudo chown -R ${USER} ${state}\`.`);
  assert.match(of('home').found, /home\.json may not be read or written by this user/);
  assert.match(of('store').fix, /^`sudo chown -R 61234 \S*takt\.db`\.$/);
  assert.deepEqual([again.code, again.of('access').state], [0, 'ok']);
});

test('a file that root has left open to read keeps a service from starting as well', onlyRoot, async () => {
  await using house = await householdOfUser();
  const token = join(house.home, '.state', 'token');
  await chown(token, 0, 0);
  await chmod(token, 0o666);

  const { code, of } = await examine(house);

  assert.deepEqual([code, of('access').found], [1, '.state/token belongs to user id 0']);
});

test('a service that root has started in the home of a user is named with what ends it', onlyRoot, async () => {
  await using house = await householdOfUser();
  await house.ok('service', 'start');
  const pid = await house.servicePid();

  const { code, of } = await examine(house);

  assert.deepEqual([code, of('access').state], [1, 'broken']);
  assert.ok(
    of('access').fix.startsWith(`\`sudo kill ${pid}\` ends the service of that user. \`sudo chown -R`),
    of('access').fix,
  );
});

test('a home whose state is root’s altogether is broken for everybody else', onlyRoot, async () => {
  await using house = await householdOfUser();
  await chown(join(house.home, '.state'), 0, 0);

  const { code, of } = await examine(house);

  assert.deepEqual([code, of('home').state], [1, 'broken']);
  assert.match(of('home').found, /belongs to user id 0, and this is user id 61234/);
  assert.ok(of('home').fix.includes(`sudo chown -R ${USER} ${house.home}`), of('home').fix);
});

test('folders that may not be read are told as such, with their owner’s way to open them', onlyRoot, async () => {
  await using house = await householdOfUser();
  const config = join(house.home, 'config');
  await chmod(join(house.home, '.state', 'tmp'), 0o000);
  await chown(config, 0, 0);
  await chmod(config, 0o700);

  const { code, of } = await examine(house);

  assert.equal(code, 1);
  assert.equal(of('access').found, 'config belongs to user id 0; .state/tmp may not be read and written by its owner');
  assert.ok(of('access').fix.includes(`sudo chown -R ${USER} ${config}`), of('access').fix);
  assert.ok(of('access').fix.includes(`chmod -R u+rwX ${join(house.home, '.state', 'tmp')}`), of('access').fix);
  assert.equal(of('config').state, 'broken');
  assert.match(
    of('config').found,
    /repos\.yaml may not be read or written by this user|settings\.yaml may not be read/,
  );
});

test('a configuration that takt cannot write is broken', onlyRoot, async () => {
  await using house = await householdOfUser();
  const config = join(house.home, 'config');
  await chmod(config, 0o500);

  const { code, of } = await examine(house);

  assert.deepEqual(
    [code, of('access').state, of('access').found],
    [1, 'broken', 'config may not be read and written by its owner'],
  );
  assert.ok(of('access').fix.includes(`chmod -R u+rwX ${config}`), of('access').fix);
});

test('a root repo that may not be read is broken, and the others are told all the same', onlyRoot, async () => {
  await using house = await householdOfUser('lib', 'odd');
  const hooks = join(house.root('lib'), 'hooks');
  await chmod(house.root('app'), 0o000);
  await chmod(hooks, 0o000);
  await chmod(join(house.root('odd'), 'hooks', 'pre-receive'), 0o600);

  const { code, of } = await examine(house);

  assert.deepEqual([code, of('root repos').state], [1, 'broken']);
  assert.match(of('root repos').found, /app: \S*\/root\/app\/HEAD may not be read/);
  assert.match(of('root repos').found, /lib: \S*\/root\/lib\/hooks\/\S+ may not be read/);
  assert.match(of('root repos').found, /odd: the hook pre-receive cannot be executed/);
  for (const folder of [house.root('app'), hooks])
    assert.ok(of('root repos').fix.includes(`chmod -R u+rwX ${folder}`), of('root repos').fix);
});
