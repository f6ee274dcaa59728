import assert from 'node:assert/strict';
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cloned, land } from './cloned.ts';
import { commit, newScratch, run, write } from './scratch.ts';

test('pulling moves branch, files and index, and the clone depends on nothing', async () => {
  using scratch = newScratch();
  const { clone, root, pull, start, status } = await cloned(scratch);
  const landed = land(root, { 'src/a.txt': 'landed\n', 'src/new.txt': 'new\n' }, scratch);
  write(join(clone, 'untracked.txt'), 'mine');

  assert.deepEqual(await pull(), { state: 'pulled', from: start, to: landed, why: null });
  assert.deepEqual(await pull(), { state: 'current', from: landed, to: landed, why: null });

  assert.equal(readFileSync(join(clone, 'src/new.txt'), 'utf8'), 'new\n');
  assert.equal((await status()).dirty, 1);
  renameSync(root, `${root}-away`);
  assert.equal(run(clone, 'status', '--porcelain', '--branch'), '## task...origin/task\n?? untracked.txt');
  run(clone, 'fsck');
});

test('pulling refuses, and touches nothing, when it would cost work', async () => {
  using scratch = newScratch();
  const { clone, root, pull, start } = await cloned(scratch);
  land(root, { 'src/a.txt': 'landed\n', 'src/new.txt': 'new\n' }, scratch);
  const cases: [string, RegExp, () => void, () => void][] = [
    [
      'a changed file',
      /1 of its files are changed: README.md/,
      () => write(join(clone, 'README.md'), 'mine'),
      () => run(clone, 'checkout', '-q', '.'),
    ],
    [
      'a file in the way',
      /new\.txt/,
      () => write(join(clone, 'src/new.txt'), 'mine'),
      () => rmSync(join(clone, 'src/new.txt')),
    ],
    [
      'another branch',
      /on the branch side/,
      () => run(clone, 'checkout', '-q', '-b', 'side'),
      () => run(clone, 'checkout', '-q', 'task'),
    ],
    [
      'a merge under way',
      /a merge under way/,
      () => write(join(clone, '.git/MERGE_HEAD'), start),
      () => rmSync(join(clone, '.git/MERGE_HEAD')),
    ],
    [
      'a lock',
      /index.lock/,
      () => write(join(clone, '.git/index.lock'), ''),
      () => rmSync(join(clone, '.git/index.lock')),
    ],
    [
      'unpushed commits',
      /not pushed/,
      () => void commit(clone, { 'own.txt': 'x' }),
      () => run(clone, 'reset', '-q', '--hard', start),
    ],
  ];
  for (const [what, why, act, undo] of cases) {
    act();
    const head = run(clone, 'rev-parse', 'HEAD');
    const files = run(clone, 'status', '--porcelain');

    const result = await pull();

    assert.equal(result.state, 'refused', what);
    assert.match(result.why ?? '', why, what);
    assert.deepEqual([run(clone, 'rev-parse', 'HEAD'), run(clone, 'status', '--porcelain')], [head, files], what);
    undo();
  }
  assert.equal((await pull()).state, 'pulled');
});
