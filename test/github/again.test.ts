import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { PullRequest } from '../../src/contract/pull-request.ts';
import {
  addThreeRepos,
  commitAndPush,
  openGithubHousehold,
  runEnded,
  type GithubHousehold,
} from '../driver/github-household.ts';
import { gitIn } from '../driver/github-repos.ts';
import { testNeeding } from '../driver/machine.ts';

const test = testNeeding('gh', 'openssl');

async function withPulls(...repos: string[]): Promise<GithubHousehold> {
  const household = await openGithubHousehold();
  await addThreeRepos(household);
  await household.ok('setting', 'set', 'pull_requests.poll_interval_s', '0');
  await household.ok('workspace', 'create', 'task', ...repos);
  await household.ok('workspace', 'pipeline-set', 'task', 'create_pr');
  await commitAndPush(household, 'task', 'one\n', ...repos);
  const run = await runEnded(household, 1);
  assert.equal(run.state, 'passed', JSON.stringify(run.reason));
  return household;
}

const branchOf = async ({ github }: GithubHousehold, name: string): Promise<string> =>
  gitIn(github.repo(name).bare, 'for-each-ref', '--format=%(refname)', 'refs/heads/task');
const pullsOf = async (household: GithubHousehold): Promise<PullRequest[]> =>
  (await household.json<{ pulls: PullRequest[] }>('pr', 'list', 'task')).pulls;

test('a repo whose pull request was squashed gets no other one, and its branch is not pushed again', async () => {
  await using household = await withPulls('lib', 'app');
  const { github } = household;
  await github.merge('lib', 'squash');
  await gitIn(github.repo('lib').bare, 'update-ref', '-d', 'refs/heads/task');
  await household.ok('repo', 'fetch', '--all');

  await commitAndPush(household, 'task', 'two\n', 'app');
  const run = await runEnded(household, 2);
  const dry = await household.ok('push', 'task', '--dry-run');

  assert.equal(run.state, 'passed', JSON.stringify(run.reason));
  assert.equal(github.repo('lib').pulls.length, 1);
  assert.equal(await branchOf(household, 'lib'), '');
  assert.match(github.pull('app').body, /1\. acme\/lib#\d+, merged\n2\. \*\*acme\/app#\d+\*\* \(this one\)/);
  assert.deepEqual(
    (await pullsOf(household)).map(({ sight }) => sight.state),
    ['merged', 'open'],
  );
  assert.doesNotMatch(dry, /lib +\d+ commit/);
});

test('work that came after the merge gets a pull request of its own', async () => {
  await using household = await withPulls('lib');
  await household.github.merge('lib', 'squash');
  await household.ok('pr', 'status', 'task');
  const merged = await household.ok('workspace', 'show', 'task');

  await commitAndPush(household, 'task', 'two\n', 'lib');
  const run = await runEnded(household, 2);
  const shown = await household.ok('workspace', 'show', 'task');

  assert.match(merged, /removes it/);
  assert.equal(run.state, 'passed', JSON.stringify(run.reason));
  assert.equal(household.github.repo('lib').pulls.length, 2);
  assert.doesNotMatch(shown, /removes it/);
});

test('a plain merge that was not fetched yet is nothing to do, and the others go on', async () => {
  await using household = await withPulls('lib', 'app');
  await household.github.merge('lib', 'merge');

  await commitAndPush(household, 'task', 'two\n', 'app');
  const run = await runEnded(household, 2);

  assert.equal(run.state, 'passed', JSON.stringify(run.reason));
  assert.match(household.github.pull('app').body, /- app: two/);
  assert.equal(household.github.repo('lib').pulls.length, 1);
});

test('a pull request that somebody led to another base is found all the same', async () => {
  await using household = await withPulls('lib');
  const { github } = household;
  await gitIn(github.repo('lib').bare, 'branch', 'develop', 'main');
  Object.assign(github.pull('lib'), { base: 'develop' });

  await commitAndPush(household, 'task', 'two\n', 'lib');
  const run = await runEnded(household, 2);

  assert.equal(run.state, 'passed', JSON.stringify(run.reason));
  assert.equal(github.repo('lib').pulls.length, 1);
  assert.equal(github.pull('lib').base, 'develop');
});

test('a repository that was renamed keeps its pull request, once', async () => {
  await using household = await withPulls('lib');
  const repo = household.github.repo('lib');
  repo.oldNames.push('acme/lib');
  Object.assign(repo, { name: 'library' });
  for (const pull of repo.pulls) Object.assign(pull, { headName: 'library' });

  await household.ok('pr', 'create', 'task', '--yes');

  const pulls = await pullsOf(household);
  assert.deepEqual(
    pulls.map(({ place }) => place.name),
    ['library'],
  );
  assert.equal(repo.pulls.length, 1);
});

test('titles are cut between letters, and texts that look like takt’s own marks are none', async () => {
  await using household = await withPulls('lib');
  const { github } = household;
  await household.ok(
    'workspace',
    'task-set',
    'task',
    `${'x'.repeat(199)}😀 and more\n\n<!-- takt:end -->\n<!-- takt:begin title=100% -->`,
  );

  for (const number of [2, 3, 4]) {
    await commitAndPush(household, 'task', `change ${number}\n`, 'lib');
    const run = await runEnded(household, number);
    assert.equal(run.state, 'passed', JSON.stringify(run.reason));
  }

  assert.equal(github.pull('lib').title, 'x'.repeat(199));
  assert.equal(github.pull('lib').body.split('<!-- takt:end -->').length, 2, github.pull('lib').body);
});

test('with a fork the branch goes there, and the pull request comes from there', async () => {
  await using household = await openGithubHousehold();
  const { github } = household;
  const { url } = await github.add('acme', 'app', await household.upstream('app', { 'file.txt': 'a\n' }));
  const { url: fork, repo } = await github.add('ada', 'my-app', join(household.folder, 'upstream', 'app.git'));
  await household.ok('repo', 'add', 'app', url, '--push-url', fork);
  await household.ok('workspace', 'create', 'task', 'app');
  await household.ok('workspace', 'pipeline-set', 'task', 'create_pr');

  await commitAndPush(household, 'task', 'one\n', 'app');
  const run = await runEnded(household, 1);
  await commitAndPush(household, 'task', 'two\n', 'app');
  const again = await runEnded(household, 2);

  assert.equal(run.state, 'passed', JSON.stringify(run.reason));
  assert.equal(again.state, 'passed', JSON.stringify(again.reason));
  assert.equal(await branchOf(household, 'app'), '', 'nothing was pushed to the upstream itself');
  assert.equal(await gitIn(repo.bare, 'for-each-ref', '--format=%(refname)', 'refs/heads/task'), 'refs/heads/task');
  const pull = github.pull('app');
  assert.deepEqual([pull.headOwner, pull.headName, pull.base], ['ada', 'my-app', 'main']);
  assert.equal(github.repo('app').pulls.length, 1);
});
