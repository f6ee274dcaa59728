import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Run } from '../../src/contract/run.ts';
import { homeLayout } from '../../src/platform/home-layout.ts';
import { openHousehold } from '../driver/household.ts';
import { until } from '../driver/until.ts';
import { testNeeding } from '../driver/machine.ts';
import { makeFifo } from '../git/scratch.ts';

const test = testNeeding('bwrap');

test('a step host that is killed in mid-merge: the step begins again from the recorded commits, and the run passes', async () => {
  await using household = await openHousehold();
  const bare = await household.upstream('app', { 'a.txt': 'a\n' });
  await household.ok('repo', 'add', 'app', bare);
  await household.ok('workspace', 'create', 'task', 'app');
  const clone = household.clone('task', 'app');
  await household.git(clone, 'commit', '-q', '--allow-empty', '-m', 'ours');
  await household.git(clone, 'push', '-q');
  const ours = await household.git(clone, 'rev-parse', 'HEAD');
  const seed = join(household.folder, 'seed', 'app');
  await writeFile(join(seed, 'first.txt'), 'first\n');
  await writeFile(join(seed, 'second.txt'), 'a\n');
  await household.git(seed, 'add', '-A');
  await household.git(seed, 'commit', '-q', '-m', 'theirs');
  await household.git(seed, 'push', '-q', bare, 'main');
  await household.ok('workspace', 'pipeline-set', 'task', 'run:true', 'approve', 'merge_upstream');
  await household.ok('workspace', 'trigger', 'task');
  const show = (): Promise<Run> => household.json<Run>('run', 'show', 'task');
  await until('the run to ask', async () => ((await show()).state === 'waiting' ? true : undefined));
  // A pipe in the place of what the second file holds: git waits for somebody to write to it.
  const worktree = join(household.home, 'runs', 'task-1', 'app');
  const blob = await household.git(seed, 'rev-parse', 'HEAD:second.txt');
  const object = join(worktree, '.git', 'objects', blob.slice(0, 2), blob.slice(2));
  await mkdir(dirname(object), { recursive: true });
  makeFifo(object);
  await household.ok('run', 'approve', 'task', '--yes');
  await until('the merge to write files', () => (existsSync(join(worktree, 'second.txt')) ? true : undefined));
  const spool = homeLayout(household.home).attemptsSpool;
  const [attempt = ''] = await readdir(spool);
  const { pid } = JSON.parse(await readFile(join(spool, attempt, 'host.json'), 'utf8')) as { pid: number };

  assert.equal(await readFile(join(worktree, 'second.txt'), 'utf8'), '');
  await rm(object);
  process.kill(pid, 'SIGKILL');
  const run = await until('the run to end', async () => {
    const now = await show();
    return now.endedAtMs === null ? undefined : now;
  });

  assert.equal(run.state, 'passed', JSON.stringify(run, null, 1));
  assert.deepEqual(
    run.steps.at(-1)?.attempts.map(({ state }) => state),
    ['interrupted', 'passed'],
  );
  assert.equal(run.landing, 'whole');
  assert.deepEqual(run.pins, []);
  const theirs = await household.git(seed, 'rev-parse', 'HEAD');
  assert.equal(await household.git(household.root('app'), 'log', '-1', '--format=%P', 'task'), `${ours} ${theirs}`);
});
