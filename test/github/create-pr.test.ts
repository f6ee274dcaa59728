import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PullRequest } from '../../src/contract/pull-request.ts';
import {
  addThreeRepos,
  commitAndPush,
  openGithubHousehold,
  runEnded,
  type GithubHousehold,
} from '../driver/github-household.ts';
import { until } from '../driver/until.ts';
import { testNeeding } from '../driver/machine.ts';

const test = testNeeding('gh', 'openssl');

const REPOS = ['app', 'lib', 'tool'] as const;

async function withThreeRepos(): Promise<GithubHousehold> {
  const household = await openGithubHousehold();
  await addThreeRepos(household);
  await household.ok(
    'workspace',
    'create',
    'task',
    ...REPOS,
    '--task',
    'Log in with a second factor\n\nAsks for it after the password.',
  );
  return household;
}

const posts = ({ github }: GithubHousehold): string[] =>
  github.calls.filter(({ line, status }) => /^POST .*\/pulls$/.test(line) && status === 201).map(({ line }) => line);

test('create_pr opens one pull request per changed repo, linked and in the order of merging', async () => {
  await using household = await withThreeRepos();
  const { github } = household;
  await household.ok('workspace', 'pipeline-set', 'task', 'run:true', 'create_pr');

  await commitAndPush(household, 'task', 'one\n', ...REPOS);
  const run = await runEnded(household, 1);

  assert.equal(run.state, 'passed', JSON.stringify(run.steps.at(-1), null, 1));
  assert.deepEqual(
    posts(household),
    ['lib', 'tool', 'app'].map((name) => `POST repos/acme/${name}/pulls`),
  );
  const [lib, tool, app] = ['lib', 'tool', 'app'].map((name) => github.pull(name));
  assert.equal(lib!.title, 'Log in with a second factor');
  assert.equal(lib!.base, 'main');
  assert.equal(lib!.branch, 'task');
  assert.match(lib!.body, /Asks for it after the password\./);
  assert.match(lib!.body, /- lib: one/);
  assert.match(lib!.body, /\*\*true\*\*: passed/);
  const order = `1. acme/lib#${lib!.number}\n2. acme/tool#${tool!.number}\n3. **acme/app#${app!.number}** (this one)`;
  assert.ok(app!.body.includes(order), app!.body);
  assert.ok(lib!.body.includes(`1. **acme/lib#${lib!.number}** (this one)`), lib!.body);
  const { pulls } = await household.json<{ pulls: PullRequest[] }>('pr', 'list', 'task');
  assert.deepEqual(
    pulls.map(({ repo, turn, sight }) => [repo, turn, sight.state]),
    [
      ['lib', 1, 'open'],
      ['tool', 2, 'open'],
      ['app', 3, 'open'],
    ],
  );
  assert.match(
    (await household.ok('pr', 'open', 'task', '--print')).trim(),
    /lib\/pull\/\d+\n.*tool\/pull\/\d+\n.*app\/pull\/\d+$/,
  );
});

test('a second run updates the pull requests, and leaves alone what people wrote', async () => {
  await using household = await withThreeRepos();
  const { github } = household;
  await household.ok('workspace', 'pipeline-set', 'task', 'create_pr');
  await commitAndPush(household, 'task', 'one\n', 'lib', 'app');
  await runEnded(household, 1);
  const numbers = ['lib', 'app'].map((name) => github.pull(name).number);
  github.pull('lib').body = `Written by a person.\r\n\r\n${github.pull('lib').body.replaceAll('\n', '\r\n')}`;
  github.pull('app').title = 'A better title';

  await household.ok('workspace', 'task-set', 'task', 'Log in with two factors');
  await commitAndPush(household, 'task', 'two\n', ...REPOS);
  const run = await runEnded(household, 2);

  assert.equal(run.state, 'passed', JSON.stringify(run.reason));
  assert.equal(posts(household).length, 3, 'only the third repo got a new one');
  assert.deepEqual(
    ['lib', 'app'].map((name) => github.pull(name).number),
    numbers,
  );
  assert.match(github.pull('lib').body, /^Written by a person\.\n\n<!-- takt:begin/);
  assert.match(github.pull('lib').body, /- lib: two/);
  assert.match(github.pull('lib').body, /This is one of 3 pull requests/);
  assert.equal(github.pull('lib').body.match(/takt:begin/g)?.length, 1);
  assert.equal(github.pull('lib').title, 'Log in with two factors');
  assert.equal(github.pull('app').title, 'A better title');
});

test('a crash between the first pull request and the second doubles none', async () => {
  await using household = await withThreeRepos();
  const { github } = household;
  await household.ok('workspace', 'pipeline-set', 'task', 'create_pr');
  let isHeld = false;
  const released = Promise.withResolvers<void>();
  github.intercept = async (line) => {
    if (line !== 'POST repos/acme/tool/pulls' || isHeld) return undefined;
    isHeld = true;
    await released.promise;
    return undefined;
  };
  await commitAndPush(household, 'task', 'one\n', ...REPOS);
  await until('the second pull request to be asked for', () => (isHeld ? true : undefined), 60_000);

  await endHosts(household);
  released.resolve();
  const run = await runEnded(household, 1);

  assert.equal(run.state, 'passed', JSON.stringify(run.reason));
  const attempts = run.steps.at(-1)!.attempts.map(({ state }) => state);
  assert.deepEqual(attempts, ['interrupted', 'passed']);
  for (const name of ['lib', 'tool', 'app'])
    assert.equal(posts(household).filter((line) => line.includes(name)).length, 1, name);
  assert.match(github.pull('lib').body, /This is one of 3 pull requests/);
});

/** kill -9 of the step hosts of this home, and of the `gh` that they wait for. */
async function endHosts(household: GithubHousehold): Promise<void> {
  for (const entry of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    if (line.includes('step-host') && line.includes(household.home)) process.kill(Number(entry), 'SIGKILL');
  }
}

test('a squash merge makes the workspace deletable without --force', async () => {
  await using household = await withThreeRepos();
  const { github } = household;
  await household.ok('workspace', 'pipeline-set', 'task', 'create_pr');
  await commitAndPush(household, 'task', 'one\n', 'lib', 'app');
  await runEnded(household, 1);
  await household.ok('setting', 'set', 'pull_requests.poll_interval_s', '0');
  // Whoever merged changed something on the way, and the branch is gone upstream: only GitHub knows that it is merged.
  for (const name of ['lib', 'app']) {
    await github.merge(name, 'squash');
    await changeMerge(household, name);
  }

  await household.ok('repo', 'fetch', '--all');
  const before = await household.takt('workspace', 'delete', 'task', '--yes');
  const status = await household.json<{ isMerged: boolean }>('pr', 'status', 'task');
  const shown = await household.ok('workspace', 'list');
  const deleted = await household.takt('workspace', 'delete', 'task', '--yes');

  assert.equal(before.code, 5, 'nobody had looked at GitHub yet');
  assert.equal(status.isMerged, true);
  assert.match(shown, /All pull requests of task are merged: `takt workspace delete task` removes it/);
  assert.equal(deleted.code, 0, deleted.stderr);
});

async function changeMerge({ folder, git }: GithubHousehold, name: string): Promise<void> {
  const bare = join(folder, 'github', 'github.com', 'acme', `${name}.git`);
  const work = join(folder, `merging-${name}`);
  await git(folder, 'clone', '-q', bare, work);
  await writeFile(join(work, 'change.txt'), 'one, in other words\n');
  await git(work, 'commit', '-q', '-a', '--amend', '-m', 'in other words');
  await git(work, 'push', '-q', '--force', 'origin', 'main');
  await git(bare, 'update-ref', '-d', 'refs/heads/task');
}
