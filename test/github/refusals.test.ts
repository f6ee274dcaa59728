import assert from 'node:assert/strict';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '../../src/contract/run.ts';
import { commitAndPush, openGithubHousehold, type GithubHousehold } from '../driver/github-household.ts';
import { testNeeding } from '../driver/machine.ts';

const test = testNeeding('gh', 'openssl');

async function withOneRepo(household: GithubHousehold, host = 'github.com'): Promise<void> {
  const { url } = await household.github.add(
    'acme',
    'app',
    await household.upstream('app', { 'file.txt': 'a\n' }),
    host,
  );
  await household.ok('repo', 'add', 'app', url);
  await household.ok('workspace', 'create', 'task', 'app');
  await commitAndPush(household, 'task', 'one\n', 'app');
  await household.ok('workspace', 'pipeline-set', 'task', 'create_pr');
}

async function runStep(household: GithubHousehold): Promise<Run> {
  await household.takt('workspace', 'trigger', 'task', '--wait');
  return household.json<Run>('run', 'show', 'task');
}

test('without a login of gh nothing goes out, and a push by hand still does', async () => {
  await using household = await openGithubHousehold({}, { isLoggedIn: false });
  await withOneRepo(household);

  const run = await runStep(household);
  const created = await household.takt('pr', 'create', 'task', '--yes');
  const before = household.github.calls.length;
  const pushed = await household.takt('push', 'task', '--yes');

  assert.equal(run.state, 'failed');
  assert.match(run.reason?.sentence ?? '', /app: gh has no login for github\.com.*gh auth login/);
  assert.equal(created.code, 7);
  assert.match(created.stderr, /GH_LOGGED_OUT|gh has no login/);
  assert.equal(before, 0, 'nobody called GitHub');
  assert.equal(pushed.code, 0, pushed.stderr);
});

test('a login that GitHub refuses is told from a missing one', async () => {
  await using household = await openGithubHousehold();
  await withOneRepo(household);
  household.environment['GH_TOKEN'] = 'expired';
  await household.ok('service', 'restart');

  const run = await runStep(household);

  assert.match(run.reason?.sentence ?? '', /one that github\.com refuses/);
  assert.deepEqual([...new Set(household.github.calls.map(({ status }) => status))], [401]);
});

test('without gh the step says how to get it', async () => {
  const tools = [
    'git',
    'ssh',
    'sh',
    'bash',
    'env',
    'cat',
    'sed',
    'mkdir',
    'rm',
    'node',
    'setpriv',
    'bwrap',
    'basename',
    'uname',
    'tr',
    'dirname',
    'mv',
    'date',
  ];
  await using household = await openGithubHousehold();
  await withOneRepo(household);
  const bin = join(household.folder, 'bin');
  await mkdir(bin);
  for (const tool of tools) await symlink(`/usr/bin/${tool}`, join(bin, tool)).catch(() => undefined);
  household.environment['PATH'] = bin;

  const created = await household.takt('pr', 'create', 'task', '--yes', '--json');

  assert.equal(created.code, 7, created.stderr);
  assert.match(created.stderr, /GH_MISSING/);
  assert.match(created.stderr, /apt install gh/);
});

test('an upstream that is not on GitHub is refused before anything goes out', async () => {
  await using household = await openGithubHousehold();
  const bare = await household.upstream('app', { 'file.txt': 'a\n' });
  await household.ok('repo', 'add', 'app', bare);
  await household.ok('workspace', 'create', 'task', 'app');
  await commitAndPush(household, 'task', 'one\n', 'app');
  await household.ok('workspace', 'pipeline-set', 'task', 'create_pr');

  const run = await runStep(household);

  assert.match(run.reason?.sentence ?? '', /is no repository on GitHub\..*`takt push` sends the branch all the same/);
  assert.equal(await household.git(bare, 'for-each-ref', '--format=%(refname)', 'refs/heads'), 'refs/heads/main');
  assert.equal((await household.takt('push', 'task', '--yes')).code, 0);
});

test('rules that protect the branch are named as what stops the push', async () => {
  await using household = await openGithubHousehold();
  await withOneRepo(household);
  const bare = join(household.folder, 'github', 'github.com', 'acme', 'app.git');
  await mkdir(join(bare, 'hooks'), { recursive: true });
  await writeFile(
    join(bare, 'hooks', 'pre-receive'),
    '#!/bin/sh\necho "GH006: Protected branch update failed" >&2\nexit 1\n',
  );
  await chmod(join(bare, 'hooks', 'pre-receive'), 0o755);
  const unruly = await runStep(household);
  const repo = household.github.repo('app');
  repo.protectedBranches.add('task');

  const protectedRun = await runStep(household);

  assert.match(unruly.reason?.sentence ?? '', /did not take task/);
  assert.match(
    protectedRun.reason?.sentence ?? '',
    /acme\/app did not take the push of task; it has rules for that branch \(update\)/,
  );
});

test('drafts are opened where the setting asks for them, and ordinary ones where there are no drafts', async () => {
  await using household = await openGithubHousehold();
  await withOneRepo(household);
  await household.ok('setting', 'set', 'pull_requests.draft', 'true');

  const run = await runStep(household);
  const draft = household.github.pull('app').draft;
  household.github.pull('app').state = 'closed';
  household.github.repo('app').hasDrafts = false;
  const again = await runStep(household);

  assert.equal(run.state, 'passed', JSON.stringify(run.reason));
  assert.equal(draft, true);
  assert.equal(again.state, 'passed', JSON.stringify(again.reason));
  assert.equal(household.github.pull('app').draft, false);
  assert.equal(household.github.repo('app').pulls.length, 2);
});

test('an archived repository is refused with its own words', async () => {
  await using household = await openGithubHousehold();
  await withOneRepo(household);
  household.github.repo('app').isArchived = true;

  const run = await runStep(household);

  assert.match(run.reason?.sentence ?? '', /acme\/app is archived/);
});

test('a GitHub Enterprise host is called under its own name', async () => {
  await using household = await openGithubHousehold();
  await withOneRepo(household, 'github.example.org');

  const run = await runStep(household);

  assert.equal(run.state, 'passed', JSON.stringify(run.reason));
  const { pulls } = await household.json<{ pulls: { url: string }[] }>('pr', 'list', 'task');
  assert.deepEqual(
    pulls.map(({ url }) => url),
    ['https://github.example.org/acme/app/pull/1'],
  );
});

test('GitHub that takes no more calls is told so, with the time to wait', async () => {
  await using household = await openGithubHousehold();
  await withOneRepo(household);
  household.github.intercept = async () => ({
    status: 403,
    headers: { 'retry-after': '120', 'x-ratelimit-remaining': '0' },
  });

  const run = await runStep(household);

  assert.match(run.reason?.sentence ?? '', /takes no more calls for now\. Repeat it in 2 min/);
});
