import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { z } from 'zod';
import type { PushOfRepo } from '../../src/contract/operations/push.ts';
import type { Repo } from '../../src/contract/repo.ts';
import type { Workspace } from '../../src/contract/workspace.ts';
import { type Household, openHousehold } from '../driver/household.ts';
import { inTime, inTimeAndWell, taskOf, work } from './reach-home.ts';

interface Forked {
  readonly upstream: string;
  readonly fork: string;
}

/** The repo `app` with an upstream and a fork of it, and a workspace `task`. */
async function withFork(household: Household): Promise<Forked> {
  const upstream = await household.upstream('app', { 'a.txt': 'a\n' });
  const fork = join(household.folder, 'fork.git');
  await household.git(household.folder, 'clone', '-q', '--bare', upstream, fork);
  await household.ok('repo', 'add', 'app', upstream, '--push-url', fork);
  await household.ok('workspace', 'create', 'task', 'app');
  return { upstream, fork };
}

/** A commit of somebody else's on a branch of a bare repository; gives it. */
async function foreignCommit(household: Household, bare: string, branch: string): Promise<string> {
  const tree = await household.git(bare, 'rev-parse', `${branch}^{tree}`);
  const commit = await household.git(bare, 'commit-tree', '-p', branch, '-m', 'theirs', tree);
  await household.git(bare, 'update-ref', `refs/heads/${branch}`, commit);
  return commit;
}

const standing = async (household: Household): Promise<Workspace['clones'][number]> =>
  (await household.json<Workspace>('workspace', 'show', 'task')).clones[0]!;
const planOf = async (household: Household): Promise<z.infer<typeof PushOfRepo>> =>
  (await household.json<{ repos: z.infer<typeof PushOfRepo>[] }>('push', 'task', '--dry-run')).repos[0]!;

test('with a push_url branches go to the fork, and the default branch comes from upstream', async () => {
  await using household = await openHousehold();
  const { upstream, fork } = await withFork(household);
  const commit = await work(household, 'app');
  const unpushed = await standing(household);

  await inTimeAndWell(household, 'push', 'task', '--yes');
  const next = await foreignCommit(household, upstream, 'main');
  await foreignCommit(household, fork, 'main');
  await inTimeAndWell(household, 'repo', 'fetch', 'app');

  const shown = await household.json<Repo>('repo', 'show', 'app');
  const { state, pushUrl, expected } = await planOf(household);
  assert.deepEqual([await taskOf(household, fork), await taskOf(household, upstream)], [commit, '']);
  assert.deepEqual([shown.upstream, shown.pushUrl, shown.head], [upstream, fork, next]);
  assert.deepEqual([state, pushUrl, expected], ['current', fork, commit]);
  assert.deepEqual([unpushed.unreleased, (await standing(household)).unreleased], [1, 0]);
  assert.match(await household.ok('repo', 'show', 'app'), new RegExp(`pushed to +${fork}`));
});

test('a step pushes to the fork as well', async () => {
  await using household = await openHousehold();
  const { upstream, fork } = await withFork(household);
  const commit = await work(household, 'app');
  await household.ok('workspace', 'pipeline-set', 'task', 'push_to_github');

  await household.ok('workspace', 'trigger', 'task', '--wait');

  assert.deepEqual([await taskOf(household, fork), await taskOf(household, upstream)], [commit, '']);
  assert.equal((await planOf(household)).state, 'current');
});

test('what others put on the fork’s branch shows as diverged after a fetch, and nothing is overwritten', async () => {
  await using household = await openHousehold();
  const { fork } = await withFork(household);
  await work(household, 'app');
  await inTimeAndWell(household, 'push', 'task', '--yes');
  const theirs = await foreignCommit(household, fork, 'task');
  await work(household, 'app', 20);

  const blind = await inTime(household, 'push', 'task', '--yes');
  await inTimeAndWell(household, 'repo', 'fetch', 'app');
  const seeing = await inTime(household, 'push', 'task', '--yes');
  const { isDivergedFromUpstream } = await standing(household);
  const kept = await taskOf(household, fork);
  await household.git(fork, 'update-ref', '-d', 'refs/heads/task');
  await inTimeAndWell(household, 'repo', 'fetch', 'app');
  const gone = await planOf(household);

  assert.deepEqual([blind.fault?.code, seeing.fault?.code], ['UPSTREAM_MOVED', 'UPSTREAM_MOVED'], seeing.stderr);
  assert.deepEqual([isDivergedFromUpstream, kept], [true, theirs]);
  assert.deepEqual([gone.state, gone.expected], ['to_push', null]);
});

test('a workspace whose work is on the fork may be deleted', async () => {
  await using household = await openHousehold();
  await withFork(household);
  await work(household, 'app');

  const held = await household.takt('workspace', 'delete', 'task', '--yes');
  await inTimeAndWell(household, 'push', 'task', '--yes');
  const deleted = await household.takt('workspace', 'delete', 'task', '--yes');

  assert.deepEqual([held.code, deleted.code], [5, 0], held.stderr + deleted.stderr);
});

test('a fork that is gone is a fault of that fetch alone, and what was known of it stays', async () => {
  await using household = await openHousehold();
  const { fork } = await withFork(household);
  const lib = await household.upstream('lib', { 'l.txt': 'l\n' });
  await household.ok('repo', 'add', 'lib', lib);
  const commit = await work(household, 'app');
  await inTimeAndWell(household, 'push', 'task', '--yes');
  await rename(fork, `${fork}.away`);

  const fetched = await inTime(household, 'repo', 'fetch', '--all');

  const { results } = JSON.parse(fetched.stdout) as {
    results: { repo: string; fault: { code: string; message: string } | null }[];
  };
  assert.deepEqual(
    results.map(({ repo, fault }) => [repo, fault?.code ?? null]),
    [
      ['app', 'UPSTREAM_MISSING'],
      ['lib', null],
    ],
  );
  assert.match(results[0]!.fault!.message, /^The fork that app is pushed to: /);
  assert.equal((await planOf(household)).expected, commit);
});

test('a push_url that is written into repos.yaml is fetched before anything is pushed, and one that is wrong adds no repo', async () => {
  await using household = await openHousehold();
  const { upstream, fork } = await withFork(household);
  const commit = await work(household, 'app');
  const file = join(household.home, 'config', 'repos.yaml');
  await writeFile(file, `repos:\n  - name: app\n    upstream: ${upstream}\n`);

  const before = await inTime(household, 'push', 'task', '--yes');
  await inTimeAndWell(household, 'repo', 'fetch', 'app');
  await inTimeAndWell(household, 'push', 'task', '--yes');
  const refused = await inTime(household, 'repo', 'add', 'lib', upstream, '--push-url', `${fork}.gone`);

  assert.equal(before.fault?.code, 'FILE_CHANGED', before.stderr);
  assert.deepEqual([await taskOf(household, upstream), await taskOf(household, fork)], [commit, '']);
  assert.equal(refused.fault?.code, 'UPSTREAM_MISSING', refused.stderr);
  assert.deepEqual(
    (await household.json<{ repos: Repo[] }>('repo', 'list')).repos.map(({ name }) => name),
    ['app'],
  );
});

test('`takt push --repos` sends only those, those that others need first, and names the nearest of an unknown one', async () => {
  await using household = await openHousehold();
  const bare: Record<string, string> = {};
  for (const [name, ...needs] of [['lib'], ['api', 'lib'], ['web', 'api']] as const) {
    bare[name] = await household.upstream(name, { 'a.txt': 'a\n' });
    await household.ok('repo', 'add', name, bare[name], ...needs.flatMap((need) => ['--depends-on', need]));
  }
  await household.ok('workspace', 'create', 'task', 'web', 'api', 'lib');
  for (const name of Object.keys(bare)) await work(household, name);

  const unknown = await inTime(household, 'push', 'task', '--yes', '--repos', 'lib,wbe');
  const some = await household.takt('push', 'task', '--yes', '--repos', 'api,lib');
  const pushed = await Promise.all(Object.values(bare).map((folder) => taskOf(household, folder)));
  await inTimeAndWell(household, 'push', 'task', '--yes', '--repos', 'web', '--repos', 'api');

  assert.equal(unknown.fault?.code, 'REPO_NOT_FOUND', unknown.stderr);
  assert.match(unknown.fault.message, /changes no repo wbe\. Did you mean web\?/);
  assert.match(some.stdout, /✓ lib:[\s\S]*✓ api:/);
  assert.deepEqual(
    pushed.map((commit) => commit !== ''),
    [true, true, false],
  );
  assert.notEqual(await taskOf(household, bare['web']!), '');
});
