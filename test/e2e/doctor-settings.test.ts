import assert from 'node:assert/strict';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { openHousehold, type Household } from '../driver/household.ts';
import { until } from '../driver/until.ts';
import { makeFifo } from '../git/scratch.ts';

type Finding = { readonly name: string; readonly state: string; readonly found: string; readonly fix: string };

async function examine(house: Household): Promise<{ code: number; of(name: string): Finding }> {
  const { code, stdout } = await house.takt('doctor', '--json');
  const { checks } = JSON.parse(stdout) as { checks: Finding[] };
  return { code, of: (name) => checks.find((check) => check.name === name)! };
}

async function householdWithRepo(): Promise<Household> {
  const house = await openHousehold({ ANTHROPIC_API_KEY: 'sk-test' });
  await house.ok('repo', 'add', 'app', await house.upstream('app', { 'a.txt': 'a\n' }));
  return house;
}

test('a service that does not find git is broken, and says what to look at', async () => {
  await using house = await householdWithRepo();
  assert.equal((await examine(house)).of('service').state, 'ok');
  await writeFile(join(house.home, 'config', 'settings.yaml'), 'environment:\n  PATH: /nonexistent\n');
  await house.takt('service', 'restart');

  const { code, of } = await examine(house);

  assert.deepEqual([code, of('service').state], [1, 'broken']);
  assert.match(of('service').found, /does not find git in its PATH/);
  assert.match(of('service').fix, /PATH under `environment` in settings\.yaml/);
});

test('a pipe in the place of a file of the configuration is told, and no command waits for it', async () => {
  await using house = await householdWithRepo();
  const settings = join(house.home, 'config', 'settings.yaml');
  await rm(settings);
  makeFifo(settings);

  const { code, of } = await examine(house);
  const list = await house.takt('repo', 'list');
  const status = await house.takt('service', 'status');

  assert.deepEqual([code, of('config').state], [1, 'broken']);
  assert.match(of('config').found, /settings\.yaml is no regular file/);
  assert.equal(list.code, 0);
  assert.match(status.stderr, /settings\.yaml is no regular file/);
});

test('of a run that passed nothing stays among the homes of agents, what hosts know of it included', async () => {
  await using house = await householdWithRepo();
  const agents = join(house.home, '.state', 'agents');
  const ofRuns = async (): Promise<string[]> => (await readdir(agents)).filter((name) => name.startsWith('run_'));
  await house.ok('workspace', 'create', 'task', 'app');
  await house.ok('workspace', 'pipeline-set', 'task', 'run:false');
  await house.takt('workspace', 'trigger', 'task', '--wait');
  const failed = await ofRuns();

  await house.ok('workspace', 'pipeline-set', 'task', 'run:true');
  await house.ok('workspace', 'trigger', 'task', '--wait');

  assert.ok(
    failed.some((name) => name.endsWith('.host')),
    failed.join(' '),
  );
  await until('the folders of the run that passed to go', async () =>
    (await ofRuns()).every((name) => failed.includes(name)) ? true : undefined,
  );
});
