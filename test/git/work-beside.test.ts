import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { restoreScript } from '../../src/git/run-worktree.ts';
import { collect, mustRun, started, take } from './run-folder.ts';
import { commit, newScratch, run, write } from './scratch.ts';

test('commits of other branches, of stashes and of states before an amend come out beside the head, once', async () => {
  using scratch = newScratch();
  const { app, root, start, runFolder } = await started(scratch);
  run(app, 'checkout', '-q', '-b', 'other');
  const other = commit(app, { 'other.txt': 'other\n' }, 'on another branch');
  run(app, 'checkout', '-q', '--detach', start);
  write(join(app, 'src/a.txt'), 'stashed\n');
  run(app, 'stash', '--quiet');
  const before = commit(app, { 'mine.txt': 'before\n' }, 'before the amend');
  write(join(app, 'mine.txt'), 'after\n');
  run(app, 'commit', '--quiet', '--amend', '--all', '--message=after');

  const [frame] = await collect(scratch, runFolder, start, true);
  await take(root, frame!);
  const [again] = await collect(scratch, runFolder, start, false);

  assert.equal(run(root, 'show', `${frame!.head}:mine.txt`), 'after');
  const beside = run(root, 'rev-list', `${frame!.head}..${frame!.leftover}`).split('\n');
  for (const kept of [other, before]) assert.ok(beside.includes(kept), `${kept} in ${beside.join(' ')}`);
  assert.ok(beside.some((each) => run(root, 'show', `${each}:src/a.txt`) === 'stashed'));
  assert.deepEqual({ head: again!.head, leftover: again!.leftover }, { head: frame!.head, leftover: null });
});

test('a repository within the worktree is said to be in the folder only, also when it was added as a submodule', async () => {
  using scratch = newScratch();
  const { app, start, runFolder } = await started(scratch);
  run(join(app), 'init', '--quiet', 'nested');
  commit(join(app, 'nested'), { 'n.txt': 'n\n' }, 'in the nested one');

  const [beside] = await collect(scratch, runFolder, start, true);
  run(app, 'add', 'nested');
  run(app, 'commit', '--quiet', '--message=as a submodule');
  const [added] = await collect(scratch, runFolder, start, true);

  assert.equal(beside!.leftInFolder, true);
  assert.equal(added!.leftInFolder, true);
});

test('going back to the start sets a repository within the worktree aside', async () => {
  using scratch = newScratch();
  const { app, start, runFolder, repo } = await started(scratch);
  for (const folder of ['nested', 'deep/nested']) {
    run(app, 'init', '--quiet', folder);
    commit(join(app, folder), { 'n.txt': 'n\n' }, 'in the nested one');
  }

  mustRun(runFolder, restoreScript([repo]));

  assert.equal(existsSync(join(app, 'nested')), false);
  assert.equal(globSync(join(runFolder, '.takt/set-aside/app/**/n.txt')).length, 2);
  assert.equal((await collect(scratch, runFolder, start, true))[0]!.leftInFolder, true);
});
