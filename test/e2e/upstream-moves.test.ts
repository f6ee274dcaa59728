import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Run } from '../../src/contract/run.ts';
import { type Household, openHousehold } from '../driver/household.ts';
import { until } from '../driver/until.ts';

/** A workspace `task` on `app`, with a commit that upstream has. */
async function withReleasedTask(household: Household): Promise<string> {
  const bare = await household.upstream('app', { 'a.txt': 'a\n' });
  await household.ok('repo', 'add', 'app', bare);
  await household.ok('workspace', 'create', 'task', 'app');
  await commitIn(household, household.clone('task', 'app'), 'ours.txt');
  await household.ok('push', 'task', '--yes');
  return bare;
}

/** Commits a file and pushes the branch that is checked out; gives the commit. */
async function commitIn(household: Household, folder: string, file: string): Promise<string> {
  await writeFile(join(folder, file), `${file}\n`);
  await household.git(folder, 'add', '-A');
  await household.git(folder, 'commit', '-q', '-m', `add ${file}`);
  await household.git(folder, 'push', '-q', 'origin', 'HEAD');
  return household.git(folder, 'rev-parse', 'HEAD');
}

async function reviewer(household: Household, bare: string): Promise<string> {
  const folder = join(household.folder, 'reviewer');
  await household.git(household.folder, 'clone', '-q', '--branch', 'task', bare, folder);
  return folder;
}

test('a reviewer’s commit on upstream’s branch shows as diverged, stops a push, and comes in by a pull', async () => {
  await using household = await openHousehold();
  const bare = await withReleasedTask(household);
  const reviewed = await commitIn(household, await reviewer(household, bare), 'review.txt');
  await household.ok('repo', 'fetch', 'app');

  const shown = await household.ok('workspace', 'show', 'task');
  const refused = await household.takt('push', 'task', '--yes');
  const pulled = await household.ok('workspace', 'pull', 'task');
  const pushed = await household.ok('push', 'task', '--yes');

  assert.match(shown, /diverged from upstream, which has 1 more commit/);
  assert.equal(refused.code, 5);
  assert.match(refused.stderr, /UPSTREAM_MOVED|holds commits that ours lacks/);
  assert.match(refused.stderr, /`takt workspace pull task`/);
  assert.match(pulled, /app: [0-9a-f]+ → [0-9a-f]+ \(1 commit from upstream\)/);
  assert.equal(await household.git(household.clone('task', 'app'), 'rev-parse', 'HEAD'), reviewed);
  assert.doesNotMatch(pushed, /pushing/);
  assert.doesNotMatch(await household.ok('workspace', 'show', 'task'), /diverged/);
  assert.deepEqual(await household.json('run', 'list'), { runs: [] });
});

test('a run that works while a pull moves its branch loses nothing, and nothing is lost to it', async () => {
  await using household = await openHousehold();
  const bare = await withReleasedTask(household);
  const reviewed = await commitIn(household, await reviewer(household, bare), 'review.txt');
  const go = join(household.home, 'runs', 'task-1', 'go');
  const run = 'until test -e ../go; do sleep 0.05; done; echo made > made.txt';
  await household.ok('workspace', 'pipeline-set', 'task', `run:${run}`);
  await household.ok('workspace', 'trigger', 'task');
  const show = (): Promise<Run> => household.json<Run>('run', 'show', 'task');
  await until('the step to work', async () => ((await show()).steps[1]?.state === 'running' ? true : undefined));

  const pulled = await household.ok('workspace', 'pull', 'task');
  await writeFile(go, '');
  const ended = await until('the run to end', async () => {
    const now = await show();
    return now.endedAtMs === null ? undefined : now;
  });
  const tip = await household.git(household.root('app'), 'rev-parse', 'task');
  await household.ok('run', 'land', 'task', '--yes');

  assert.equal(ended.state, 'passed', JSON.stringify(ended, null, 1));
  assert.match(pulled, /Run task\/1 works on what the branch was before.*`takt run land task\/1` merges it/);
  assert.equal(tip, reviewed);
  assert.equal(ended.repos[0]?.notLanded, 'pushed-over');
  const files = await household.git(household.root('app'), 'ls-tree', '--name-only', 'task');
  assert.deepEqual(files.split('\n'), ['a.txt', 'made.txt', 'ours.txt', 'review.txt']);
  assert.equal((await household.json<{ runs: unknown[] }>('run', 'list')).runs.length, 1);
});

test('a merge is not tried again on what its branch no longer holds', async () => {
  await using household = await openHousehold();
  const bare = await household.upstream('app', { 'a.txt': 'a\n' });
  await household.ok('repo', 'add', 'app', bare);
  await household.ok('workspace', 'create', 'task', 'app');
  await household.ok('workspace', 'pipeline-set', 'task', 'merge_upstream');
  const clone = household.clone('task', 'app');
  const change = async (folder: string, text: string, ...push: string[]): Promise<void> => {
    await writeFile(join(folder, 'a.txt'), text);
    await household.git(folder, 'commit', '-qam', text.trim());
    await household.git(folder, 'push', '-q', ...push);
  };
  const upstream = join(household.folder, 'upstream-work');
  await household.git(household.folder, 'clone', '-q', bare, upstream);
  await change(upstream, 'theirs\n');
  await change(clone, 'ours\n');
  await until('the conflict', async () => {
    const said = await household.takt('run', 'show', 'task', '--json');
    return said.code === 0 && (JSON.parse(said.stdout) as Run).state === 'failed' ? true : undefined;
  });
  await household.ok('workspace', 'pipeline-set', 'task', 'run:true');
  await household.git(clone, 'reset', '-q', '--hard', 'HEAD~1');
  await change(clone, 'anew\n', '--force');
  await until('the run of the push to end', async () => {
    const said = await household.takt('run', 'show', 'task/2', '--json');
    return said.code === 0 && (JSON.parse(said.stdout) as Run).endedAtMs !== null ? true : undefined;
  });

  const refused = await household.takt('run', 'retry', 'task/1', '--from', 'merge_upstream');

  assert.equal(refused.code, 5, refused.stdout);
  assert.match(refused.stderr, /The branch task of app was written anew since run 1/);
});

test('a default branch that is gone or written anew upstream is said at every fetch, and all else comes in', async () => {
  await using household = await openHousehold();
  const bare = await household.upstream('app', { 'a.txt': 'a\n' });
  await household.ok('repo', 'add', 'app', bare);
  const start = await household.git(bare, 'rev-parse', 'main');

  await household.git(bare, 'branch', '-m', 'main', 'trunk');
  const gone = await household.takt('repo', 'fetch', 'app');
  const listed = await household.ok('repo', 'list');
  const anew = await household.git(bare, 'commit-tree', 'trunk^{tree}', '-m', 'anew');
  await household.git(bare, 'update-ref', 'refs/heads/main', anew);
  const rewritten = await household.takt('repo', 'fetch', 'app');

  assert.equal(gone.code, 7, gone.stdout);
  assert.match(
    gone.stdout,
    /The default branch main of app is gone upstream; ours stays\.[\s\S]*`default_branch` in repos\.yaml/,
  );
  assert.match(listed, /is gone upstream/);
  assert.match(rewritten.stdout, /wrote the history of main of app anew; ours stays/);
  const root = household.root('app');
  assert.equal(await household.git(root, 'rev-parse', 'main'), start);
  assert.equal(await household.git(root, 'rev-parse', 'upstream/trunk'), start);
});
