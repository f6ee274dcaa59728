import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { commit, run } from '../git/scratch.ts';
import { watchedHome } from './watched-home.ts';

const SWEEP_MS = 20;

test('a branch whose file a power loss emptied is not deleted, and is found again when it is whole', async () => {
  await using home = await watchedHome({ sweepMs: SWEEP_MS });
  const clone = home.clone('app');
  const next = commit(clone, { x: '1' });
  run(clone, 'push', '--quiet', 'origin', 'HEAD:refs/heads/side');
  const file = join(home.root('app'), 'refs/heads/task');

  writeFileSync(file, '');
  await home.watching.checkNow();
  const movesWhileEmpty = [...home.moves];
  writeFileSync(file, `${next}\n`);
  await home.until(1);

  assert.deepEqual(movesWhileEmpty, []);
  assert.equal(home.moves[0]!.to, next);
});

test('who asks for a comparison hears that its moves were not taken in', async () => {
  await using home = await watchedHome();
  const clone = home.clone('app');
  home.failing = true;
  commit(clone, { x: '1' });
  run(clone, 'push', '--quiet');

  await assert.rejects(home.watching.checkNow('app'), /the store is locked/);

  home.failing = false;
  await home.watching.checkNow('app');
  assert.equal(home.moves.length, 1);
});

test('a pin that could not be made is made later, and the note of the push stays until then', async () => {
  await using home = await watchedHome({ sweepMs: 5 });
  const [clone, root] = [home.clone('app'), home.root('app')];
  const replaced = commit(clone, { x: '1' });
  run(clone, 'push', '--quiet');
  await home.until(1);
  await home.untilTrue(() => readdirSync(home.layout.pushSpool).length === 0);
  mkdirSync(join(root, 'refs/takt'), { recursive: true });
  writeFileSync(join(root, 'refs/takt/pushed'), 'in the way');
  run(clone, 'reset', '--quiet', '--hard', 'HEAD~1');
  commit(clone, { x: '2' });
  run(clone, 'push', '--quiet', '--force');
  await home.untilTrue(() => home.warnings.some((warning) => warning.includes('pinned')));
  assert.equal(readdirSync(home.layout.pushSpool).length, 1);

  rmSync(join(root, 'refs/takt/pushed'));
  await home.untilTrue(() => readdirSync(home.layout.pushSpool).length === 0);

  assert.equal(run(root, 'rev-parse', `refs/takt/pushed/task/${replaced}`), replaced);
});

test('a hook that is taken away at rest comes back, and the log says so', async () => {
  await using home = await watchedHome({ sweepMs: SWEEP_MS });
  const hook = join(home.root('app'), 'hooks/post-receive');

  rmSync(hook);
  await home.untilTrue(() => home.warnings.some((warning) => warning.includes('hook')));

  assert.ok(existsSync(hook));
});

test('what is no note of a hook is set aside, and pushes go on', async () => {
  await using home = await watchedHome({ sweepMs: SWEEP_MS });
  const { pushSpool } = home.layout;
  mkdirSync(join(pushSpool, 'app.1.0'));
  writeFileSync(join(pushSpool, 'app.2.0'), 'garbage\nend\n');

  await home.untilTrue(() => readdirSync(pushSpool).length === 0);
  const clone = home.clone('app');
  commit(clone, { x: '1' });
  run(clone, 'push', '--quiet');
  await home.until(1);

  assert.deepEqual(readdirSync(join(dirname(pushSpool), 'broken-pushes')).sort(), ['app.1.0', 'app.2.0']);
  assert.equal(home.warnings.length, 2);
});

test('a branch that moves without any hook is found at once where folders can be watched', async () => {
  await using home = await watchedHome();
  const root = home.root('app');
  const [from, next] = [run(root, 'rev-parse', 'task'), commit(join(home.folder, 'upstreams/app'), { x: '1' })];
  run(root, 'fetch', '--quiet', join(home.folder, 'upstreams/app'), 'HEAD');

  run(root, 'update-ref', 'refs/heads/task', next);
  await home.until(1);
  run(root, 'update-ref', '-d', 'refs/heads/task');
  await home.until(2);
  run(root, 'update-ref', 'refs/heads/task', next);
  await home.until(3);

  assert.deepEqual(
    home.moves.map((move) => [move.from, move.to]),
    [
      [from, next],
      [next, null],
      [null, next],
    ],
  );
});
