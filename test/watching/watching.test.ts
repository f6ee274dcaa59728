import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fetchRoot } from '../../src/git/root-repo.ts';
import { compareAndSwapBranch } from '../../src/git/refs.ts';
import { commit, limit, run, tryRun } from '../git/scratch.ts';
import { described, watchedHome } from './watched-home.ts';

const SWEEP_MS = 50;

test('a push is told of by the hook, once, with where it came from', async () => {
  await using home = await watchedHome();
  const clone = home.clone('app');
  const before = home.seenOf('app').get('task')!;
  const next = commit(clone, { x: 'x' });

  run(clone, 'push', '--quiet');
  await home.until(1);
  await home.watching.checkNow();

  assert.deepEqual(described(home.moves), [`app task ${before} ${next}`]);
  await home.untilTrue(() => readdirSync(home.layout.pushSpool).length === 0);
  assert.deepEqual(home.warnings, []);
});

test('several pushes end with the last, and a push of several branches comes in one call', async () => {
  await using home = await watchedHome();
  const clone = home.clone('app');
  let last = '';
  for (const each of ['1', '2', '3', '4']) {
    last = commit(clone, { x: each });
    run(clone, 'push', '--quiet');
  }
  await home.untilTrue(() => home.seenOf('app').get('task') === last);

  const calls = home.calls.length;
  run(clone, 'push', '--quiet', 'origin', 'HEAD:task-a', 'HEAD:task-b', 'HEAD:other');
  await home.untilTrue(() => home.seenOf('app').has('task-b'));

  assert.equal(home.calls.length, calls + 1);
  assert.deepEqual(
    home.calls
      .at(-1)!
      .map(({ branch }) => branch)
      .sort(),
    ['other', 'task-a', 'task-b'],
  );
});

test('pushes to two repos are told of for each', async () => {
  await using home = await watchedHome({ repos: ['app', 'lib'] });
  const [app, lib] = [home.clone('app'), home.clone('lib')];
  const [one, two] = [commit(app, { x: 'x' }), commit(lib, { x: 'x' })];

  run(app, 'push', '--quiet');
  run(lib, 'push', '--quiet');
  await home.until(2);

  assert.deepEqual(home.moves.map(({ repo, to }) => `${repo} ${to}`).sort(), [`app ${one}`, `lib ${two}`]);
});

test('a force push is a move, and all that it replaced stays pinned', async () => {
  await using home = await watchedHome();
  const clone = home.clone('app');
  const replaced: string[] = [];
  for (const each of ['1', '2', '3']) {
    run(clone, 'reset', '--quiet', '--hard', 'origin/main');
    replaced.push(commit(clone, { x: each }));
    run(clone, 'push', '--quiet', '--force');
  }
  await home.untilTrue(() => home.seenOf('app').get('task') === replaced[2]);
  await home.untilTrue(() => readdirSync(home.layout.pushSpool).length === 0);

  const pins = run(home.root('app'), 'for-each-ref', '--format=%(refname)', 'refs/takt/pushed').split('\n');

  assert.deepEqual(
    pins.sort(),
    replaced
      .slice(0, 2)
      .map((each) => `refs/takt/pushed/task/${each}`)
      .sort(),
  );
});

test('a deleted branch is told of as gone, and stays pinned', async () => {
  await using home = await watchedHome();
  const clone = home.clone('app');
  const tip = home.seenOf('app').get('task')!;

  run(clone, 'push', '--quiet', 'origin', ':task');
  await home.until(1);
  await home.untilTrue(() => readdirSync(home.layout.pushSpool).length === 0);

  assert.deepEqual(described(home.moves), [`app task ${tip} -`]);
  assert.equal(run(home.root('app'), 'rev-parse', `refs/takt/pushed/task/${tip}`), tip);
});

test('packing refs does not look like a deletion, whatever is pushed meanwhile', async () => {
  await using home = await watchedHome({ sweepMs: 5 });
  const root = home.root('app');
  const clone = home.clone('app');
  let last = '';
  for (let round = 0; round < 15; round += 1) {
    last = commit(clone, { x: String(round) });
    const packing = spawn('git', ['pack-refs', '--all'], { cwd: root });
    const packed = new Promise((done) => packing.once('exit', done));
    run(clone, 'push', '--quiet');
    await packed;
  }
  run(root, 'pack-refs', '--all');
  await home.untilTrue(() => home.seenOf('app').get('task') === last);
  await home.watching.checkNow();

  assert.deepEqual(
    home.moves.filter(({ to }) => to === null),
    [],
  );
  assert.equal(new Set(home.moves.map(({ to }) => to)).size, home.moves.length, 'no move comes twice');
});

test('a fetch from upstream and a landing trigger nothing', async () => {
  await using home = await watchedHome();
  const root = home.root('app');
  const upstream = join(home.folder, 'upstreams/app');
  const next = commit(upstream, { x: 'x' });
  await fetchRoot({ folder: root, upstream, defaultBranch: 'main', signal: limit() });
  home.seenOf('app').set('task', next);
  await compareAndSwapBranch(root, 'task', run(root, 'rev-parse', 'task'), next, { signal: limit() });

  await home.watching.checkNow();

  assert.deepEqual(home.moves, []);
});

test('pushes while nobody watched are found at the start, once, and what they replaced is pinned', async () => {
  await using home = await watchedHome();
  const clone = home.clone('app');
  const before = home.seenOf('app').get('task')!;
  await home.stop();
  const replaced = commit(clone, { x: '1' });
  run(clone, 'push', '--quiet');
  run(clone, 'reset', '--quiet', '--hard', before);
  const last = commit(clone, { x: '2' });
  run(clone, 'push', '--quiet', '--force');

  await home.start();

  assert.deepEqual(described(home.moves), [`app task ${before} ${last}`]);
  await home.untilTrue(() => readdirSync(home.layout.pushSpool).length === 0);
  assert.equal(run(home.root('app'), 'rev-parse', `refs/takt/pushed/task/${replaced}`), replaced);
});

test('what no hook tells is found by the sweep, and the hook is put back', async () => {
  await using home = await watchedHome({ sweepMs: SWEEP_MS });
  const root = home.root('app');
  const clone = home.clone('app');
  rmSync(join(root, 'hooks/post-receive'));
  const pushed = commit(clone, { x: '1' });
  run(clone, 'push', '--quiet');
  await home.until(1);
  const written = commit(clone, { x: '2' });
  run(root, 'fetch', '--quiet', clone, 'HEAD:refs/heads/task-fetched');
  await home.until(2);
  writeFileSync(join(root, 'refs/heads/task'), `${written}\n`);
  await home.until(3);
  run(root, 'update-ref', '-d', 'refs/heads/task-fetched');
  await home.until(4);

  assert.deepEqual(
    home.moves.map(({ branch, to }) => `${branch} ${to}`),
    [`task ${pushed}`, `task-fetched ${written}`, `task ${written}`, 'task-fetched null'],
  );
  await home.untilTrue(() => existsSync(join(root, 'hooks/post-receive')));
});

test('nested branches, and a leaf that becomes a folder, are found by hook and sweep', async () => {
  await using home = await watchedHome({ sweepMs: SWEEP_MS });
  const clone = home.clone('app');
  const next = commit(clone, { x: 'x' });

  run(clone, 'push', '--quiet', 'origin', 'HEAD:task-n');
  await home.until(1);
  run(clone, 'push', '--quiet', 'origin', ':task-n');
  await home.until(2);
  run(clone, 'push', '--quiet', 'origin', 'HEAD:task-n/deep/er');
  await home.until(3);
  run(home.root('app'), 'update-ref', 'refs/heads/task-m/a/b', next);
  await home.until(4);

  assert.deepEqual(
    home.moves.map(({ branch, to }) => `${branch} ${to === null ? 'gone' : 'there'}`),
    ['task-n there', 'task-n gone', 'task-n/deep/er there', 'task-m/a/b there'],
  );
});

test('a store that refuses gets the same moves again', async () => {
  await using home = await watchedHome({ sweepMs: SWEEP_MS });
  const clone = home.clone('app');
  home.failing = true;
  const next = commit(clone, { x: 'x' });
  run(clone, 'push', '--quiet');
  await home.untilTrue(() => home.warnings.length > 0);
  assert.equal(home.moves.length, 0);

  home.failing = false;
  const [move] = await home.until(1);

  assert.equal(move!.to, next);
});

test('a FIFO that is taken away comes back with the sweep', async () => {
  await using home = await watchedHome({ sweepMs: SWEEP_MS });
  rmSync(home.layout.pokeFifo);

  await home.untilTrue(() => existsSync(home.layout.pokeFifo));

  assert.deepEqual(home.warnings, []);
});

test('a root repo that goes away does not look like deleted branches, and one that comes is watched', async () => {
  await using home = await watchedHome({ repos: ['app', 'lib'], sweepMs: SWEEP_MS });
  renameSync(home.root('lib'), join(home.folder, 'lib-away'));
  await home.watching.checkNow();
  assert.deepEqual(home.moves, []);
  home.watching.repoRemoved('lib');

  renameSync(join(home.folder, 'lib-away'), home.root('lib'));
  rmSync(join(home.root('lib'), 'hooks/post-receive'));
  await home.watching.repoAdded('lib');

  assert.ok(existsSync(join(home.root('lib'), 'hooks/post-receive')));
});

test('at rest no process is started, and ten thousand branches are no news twice', async () => {
  await using home = await watchedHome({ sweepMs: SWEEP_MS });
  const root = home.root('app');
  const tip = run(root, 'rev-parse', 'task');
  const input = Array.from(
    { length: 10_000 },
    (_, index) => `create refs/heads/side/${index % 100}/b${index} ${tip}\n`,
  ).join('');
  spawnSync('git', ['update-ref', '--stdin'], { cwd: root, input });
  await home.watching.checkNow();
  await home.untilTrue(() => home.calls.flat().length >= 10_000);
  const clone = home.clone('app');
  const told = home.calls.length;
  const next = commit(clone, { x: 'x' });

  run(clone, 'push', '--quiet');
  await home.until(1);
  await home.watching.checkNow();

  assert.equal(home.moves[0]!.to, next);
  assert.equal(home.calls.slice(told).flat().length, 1);
});

test('pushes from many at once all arrive', async () => {
  await using home = await watchedHome({ repos: ['app', 'lib'] });
  const pushes = await Promise.all(
    Array.from({ length: 10 }, async (_, index) => {
      const repo = index % 2 === 0 ? 'app' : 'lib';
      const clone = home.clone(repo, String(index));
      const tip = commit(clone, { [`f${index}`]: 'x' });
      const child = spawn('git', ['push', '--quiet', 'origin', `HEAD:task-${index}`], { cwd: clone });
      await new Promise((done) => child.once('exit', done));
      return `${repo} task-${index} - ${tip}`;
    }),
  );
  await home.until(10);

  assert.deepEqual(described(home.moves), pushes.sort());
});

test('a push by a person shows nothing of the hook', async () => {
  await using home = await watchedHome();
  const clone = home.clone('app');
  commit(clone, { x: 'x' });

  assert.deepEqual(tryRun(clone, 'push', '--quiet'), { exitCode: 0, stdout: '', stderr: '' });
});
