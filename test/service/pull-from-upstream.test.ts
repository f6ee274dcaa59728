import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDatabase } from '../../src/store/database.ts';
import { planBranchForward } from '../../src/store/branch-forwards.ts';
import { seenRef } from '../../src/store/seen-refs.ts';
import { type Loose, openService, type Reply, type TestService } from './open-service.ts';

const ADA = Object.fromEntries(
  ['AUTHOR', 'COMMITTER'].flatMap((role) => [
    [`GIT_${role}_NAME`, 'Ada'],
    [`GIT_${role}_EMAIL`, 'ada@example.org'],
  ]),
);
const root = (opened: TestService, repo = 'app'): string => join(opened.home, 'root', repo);
const clone = (opened: TestService, repo = 'app'): string => join(opened.home, 'workspaces', 'task', repo);
const pull = (opened: TestService, body: object = {}): Promise<Reply> =>
  opened.ask('/api/workspaces/task/pull', { method: 'POST', body });

/** A workspace `task` whose branch is upstream, with a pipeline that a push would start. */
async function released(...repos: string[]): Promise<TestService> {
  const opened = await openService();
  for (const name of repos) await opened.addRepo(name);
  const made = await opened.ask('/api/workspaces', { method: 'POST', body: { workspace: 'task', repos } });
  assert.equal(made.status, 200, made.text);
  for (const repo of repos) {
    await opened.git(clone(opened, repo), 'commit', '-q', '--allow-empty', '-m', 'ours');
    await opened.git(clone(opened, repo), 'push', '-q', 'origin', 'task');
    await opened.git(clone(opened, repo), 'push', '-q', upstream(opened, repo), 'task');
  }
  await opened.ask('/api/fetches', { method: 'POST', body: { all: true } });
  const set = await opened.ask('/api/workspaces/task/pipeline', { method: 'PUT', body: { steps: ['run:true'] } });
  assert.equal(set.status, 200, set.text);
  return opened;
}

const upstream = (opened: TestService, repo = 'app'): string => join(opened.folder, 'upstream', `${repo}.git`);

/** A commit on upstream's branch, as a reviewer makes it. */
async function review(opened: TestService, repo = 'app', file = 'review.txt'): Promise<string> {
  const work = join(opened.folder, `review-${repo}-${file}`);
  await opened.git(opened.folder, 'clone', '-q', '--branch', 'task', upstream(opened, repo), work);
  execFileSync('sh', ['-c', `echo reviewed > ${file}`], { cwd: work });
  await opened.git(work, 'add', '-A');
  await opened.git(work, 'commit', '-qm', `review of ${file}`);
  await opened.git(work, 'push', '-q', 'origin', 'task');
  return opened.git(work, 'rev-parse', 'HEAD');
}

const runCount = async (opened: TestService): Promise<number> => (await opened.ask('/api/runs')).body.runs.length;
const cloneOf = async (opened: TestService): Promise<Loose> =>
  (await opened.ask('/api/workspaces/task')).body.clones[0];

test('commits that somebody pushed to upstream’s branch come in by a pull, and start no run', async () => {
  await using opened = await released('app');
  await review(opened);
  const reviewed = await review(opened, 'app', 'more.txt');

  await opened.ask('/api/fetches', { method: 'POST', body: { repos: ['app'] } });
  const before = await cloneOf(opened);
  const plan = await opened.ask('/api/workspaces/task/push');
  const pulled = await pull(opened);
  await opened.restart();

  assert.deepEqual([before.behindUpstream, before.isDivergedFromUpstream], [2, true]);
  assert.equal(plan.body.repos[0].state, 'diverged');
  const [app] = pulled.body.results;
  assert.deepEqual([app.state, app.to, app.taken, app.fault], ['pulled', reviewed, 2, null]);
  assert.equal(await opened.git(root(opened), 'rev-parse', 'task'), reviewed);
  assert.equal(await opened.git(clone(opened), 'status', '--porcelain', '--branch'), '## task...origin/task');
  const after = await cloneOf(opened);
  assert.deepEqual([after.behindUpstream, after.isDivergedFromUpstream, after.unpulled], [0, false, 0]);
  assert.equal((await opened.ask('/api/workspaces/task/push')).body.repos[0].state, 'current');
  assert.equal(await runCount(opened), 0);
});

test('where both sides have commits a pull refuses, with commands that merge them as they are printed', async () => {
  await using opened = await released('app');
  const reviewed = await review(opened);
  await opened.git(clone(opened), 'commit', '-q', '--allow-empty', '-m', 'more of ours');
  await opened.git(clone(opened), 'push', '-q', 'origin', 'task');
  const ours = await opened.git(clone(opened), 'rev-parse', 'HEAD');

  const refused = await pull(opened);
  const [app] = refused.body.results;
  const unmoved = await opened.git(root(opened), 'rev-parse', 'task');
  for (const command of app.commands)
    execFileSync('sh', ['-c', command], { cwd: '/', env: { ...process.env, ...ADA } });
  const again = await pull(opened);

  assert.equal(app.state, 'refused');
  assert.match(app.why, /upstream has one commit that ours lacks, and ours has one commit of its own/);
  assert.equal(unmoved, ours);
  assert.equal(await opened.git(root(opened), 'log', '-1', '--format=%P', 'task'), `${ours} ${reviewed}`);
  assert.equal(again.body.results[0].state, 'current');
  assert.equal((await opened.ask('/api/workspaces/task/push')).body.repos[0].state, 'to_push');
});

test('an upstream that is away is named, and what the root repo has comes in all the same', async () => {
  await using opened = await released('app', 'lib');
  const head = await opened.git(root(opened), 'commit-tree', '-p', 'task', '-m', 'landed', 'task^{tree}');
  await opened.git(root(opened), 'update-ref', 'refs/heads/task', head);
  await review(opened, 'lib');
  await rename(upstream(opened), `${upstream(opened)}-away`);

  const offline = await pull(opened, { fetch: false });
  const pulled = await pull(opened);

  assert.deepEqual(
    offline.body.results.map(({ state, fault }: Loose) => [state, fault]),
    [
      ['pulled', null],
      ['current', null],
    ],
  );
  const [app, lib] = pulled.body.results;
  assert.deepEqual([app.state, app.fault.code], ['current', 'UPSTREAM_MISSING']);
  assert.deepEqual([lib.state, lib.fault, lib.taken], ['pulled', null, 1]);
});

test('what a killed service had begun to take in is settled by the next one, and starts no run', async () => {
  await using opened = await released('app');
  const old = await opened.git(root(opened), 'rev-parse', 'task');
  const reviewed = await review(opened);
  await opened.ask('/api/fetches', { method: 'POST', body: { all: true } });
  await opened.service.stop();
  const database = openDatabase(join(opened.home, '.state', 'takt.db'));
  planBranchForward(database, { repo: 'app', branch: 'task', old, new: reviewed } as Parameters<
    typeof planBranchForward
  >[1]);
  database.close();
  await opened.git(root(opened), 'update-ref', 'refs/heads/task', reviewed);

  await opened.restart();
  const pulled = await pull(opened);

  assert.equal(pulled.body.results[0].state, 'pulled');
  assert.equal(await runCount(opened), 0);
  await opened.service.stop();
  const after = openDatabase(join(opened.home, '.state', 'takt.db'));
  assert.equal(seenRef(after, 'app', 'task'), reviewed);
  after.close();
  // The control: the same move without the journal is a push.
  await opened.git(root(opened), 'update-ref', 'refs/heads/task', old);
  await opened.restart();
  assert.equal(await runCount(opened), 1);
});

test('a file that git ignores is not overwritten by what came in under its name, and the refusal names it', async () => {
  await using opened = await released('app');
  await writeFile(join(clone(opened), '.git/info/exclude'), '.env\n');
  await writeFile(join(clone(opened), '.env'), 'of the operator\n');
  await review(opened, 'app', '.env');

  const refused = await pull(opened);
  const kept = await readFile(join(clone(opened), '.env'), 'utf8');
  await rm(join(clone(opened), '.env'));
  const again = await pull(opened);

  assert.equal(refused.body.results[0].state, 'refused', refused.text);
  assert.match(refused.body.results[0].why, /would overwrite what git does not track: \.env\./);
  assert.equal(kept, 'of the operator\n');
  assert.equal(again.body.results[0].state, 'pulled', again.text);
});
