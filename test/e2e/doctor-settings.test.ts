import assert from 'node:assert/strict';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { openHousehold, type Household } from '../driver/household.ts';
import { until } from '../driver/until.ts';
import { makeFifo } from '../git/scratch.ts';

const UNTOLD = 'cannot be told while git’s configuration is not valid';

type Finding = { readonly name: string; readonly state: string; readonly found: string; readonly fix: string };

async function examine(house: Household): Promise<{ code: number; checks: Finding[]; of(name: string): Finding }> {
  const { code, stdout } = await house.takt('doctor', '--json');
  const { checks } = JSON.parse(stdout) as { checks: Finding[] };
  return { code, checks, of: (name) => checks.find((check) => check.name === name)! };
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

test('a configuration of git that is not valid is one finding, and nothing sound is called lost', async () => {
  await using house = await householdWithRepo();
  await writeFile(join(house.environment['HOME']!, '.gitconfig'), '[user]\n\tname = Ada\n[user\n');

  const { code, checks, of } = await examine(house);
  const added = await house.takt('repo', 'add', 'lib', join(house.folder, 'upstream', 'app.git'));

  assert.deepEqual(
    [code, checks.filter(({ state }) => state === 'broken').map(({ name }) => name)],
    [1, ['git settings']],
  );
  assert.match(of('git settings').found, /bad config line 3 in file .*\.gitconfig/);
  assert.deepEqual([of('git').state, of('reach of app').found], ['ok', UNTOLD]);
  assert.equal(of('root repos').found, `each has its hooks; whether it is whole ${UNTOLD}`);
  assert.doesNotMatch(JSON.stringify(checks), /backup|remove and add|fsck|Install git/);
  assert.match(added.stderr, /git cannot read its configuration: .*bad config line 3/);
});

for (const [section, found] of Object.entries({
  '[core]\n\tcompression = many\n': /bad numeric config value 'many' for 'core\.compression'/,
  '[core]\n\tfilemode = maybe\n': /bad boolean config value 'maybe' for 'core\.filemode'/,
})) {
  test(`a wrong value is told in git’s words, and no root repo is called damaged: ${section}`, async () => {
    await using house = await householdWithRepo();
    await writeFile(join(house.environment['HOME']!, '.gitconfig'), section);

    const { checks, of } = await examine(house);

    assert.deepEqual(
      checks.filter(({ state }) => state === 'broken').map(({ name }) => name),
      ['git settings'],
    );
    assert.match(of('git settings').found, found);
    assert.equal(of('root repos').found, `each has its hooks; whether it is whole ${UNTOLD}`);
    assert.doesNotMatch(JSON.stringify(checks), /backup|remove and add|fsck/);
  });
}

test('without git, no repository is said to be damaged', async () => {
  await using house = await householdWithRepo();
  house.environment['PATH'] = join(house.folder, 'nothing');

  const { code, checks, of } = await examine(house);

  assert.deepEqual([code, checks.filter(({ state }) => state === 'broken').map(({ name }) => name)], [1, ['git']]);
  assert.match(of('git').fix, /Install git/);
  assert.equal(of('reach of app').found, 'cannot be told without git');
  assert.equal(of('root repos').found, 'each has its hooks; whether it is whole cannot be told without git');
});

test('a protocol that git may not use is named, instead of an upstream that is damaged', async () => {
  await using house = await householdWithRepo();
  await writeFile(join(house.environment['HOME']!, '.gitconfig'), '[protocol "file"]\n\tallow = never\n');

  const { of } = await examine(house);
  const fetched = await house.takt('repo', 'fetch', 'app');

  for (const said of [`${of('reach of app').found} ${of('reach of app').fix}`, `${fetched.stdout}${fetched.stderr}`]) {
    assert.match(said, /git reaches nothing by file: protocol\.file\.allow is never\./);
    assert.match(said, /git config --global protocol\.file\.allow user/);
  }
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
