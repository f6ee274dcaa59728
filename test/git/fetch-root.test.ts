import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fetchRoot } from '../../src/git/root-repo.ts';
import { commit, isFault, limit, newRoot, newScratch, run } from './scratch.ts';

test('a fetch follows the default branch and leaves the workspaces’ branches alone', async () => {
  using scratch = newScratch();
  const { root, upstream, start } = await newRoot(scratch);
  run(upstream, 'branch', 'task');
  const next = commit(upstream, { 'next.txt': 'x' });
  run(upstream, 'checkout', '-q', 'task');
  commit(upstream, { 'task.txt': 'theirs' });
  run(upstream, 'checkout', '-q', 'main');
  run(upstream, 'tag', 'v2');

  const first = await fetchRoot({ folder: root, upstream, defaultBranch: 'main', signal: limit() });
  run(upstream, 'branch', '-D', 'task');
  const second = await fetchRoot({ folder: root, upstream, defaultBranch: 'main', signal: limit() });
  const third = await fetchRoot({ folder: root, upstream, defaultBranch: 'main', signal: limit() });

  assert.deepEqual(first, { changed: 2, head: next, standing: 'followed' });
  assert.deepEqual([second.changed, third.changed], [1, 0]);
  assert.equal(run(root, 'rev-parse', 'task'), start);
  assert.equal(run(root, 'rev-parse', 'main'), next);
  assert.equal(run(root, 'tag'), 'v2');
});

test('a default branch that upstream rewrote stays, and the fetch says so', async () => {
  using scratch = newScratch();
  const { root, upstream, start } = await newRoot(scratch);
  run(upstream, 'commit', '--quiet', '--amend', '-m', 'rewritten');

  const { head, standing } = await fetchRoot({ folder: root, upstream, defaultBranch: 'main', signal: limit() });

  assert.deepEqual({ head, standing }, { head: start, standing: 'rewritten' });
  assert.equal(run(root, 'rev-parse', 'upstream/main'), run(upstream, 'rev-parse', 'main'));
});

test('a fetch that fails leaves the root repo as it was, and a damaged root repo is named', async () => {
  using scratch = newScratch();
  const { root, upstream } = await newRoot(scratch);
  const before = run(root, 'for-each-ref');

  await assert.rejects(
    fetchRoot({ folder: root, upstream: scratch.path('gone'), defaultBranch: 'main', signal: limit() }),
    isFault('UPSTREAM_MISSING'),
  );
  await assert.rejects(
    fetchRoot({ folder: scratch.path('none'), upstream, defaultBranch: 'main', signal: limit() }),
    isFault('ROOT_DAMAGED'),
  );

  assert.equal(run(root, 'for-each-ref'), before);
});

test('a shallow root repo is completed by a fetch', async () => {
  using scratch = newScratch();
  const { root, upstream } = await newRoot(scratch);
  commit(upstream, { x: '1' });
  commit(upstream, { x: '2' });
  run(root, 'fetch', '--quiet', '--depth=1', `file://${upstream}`, '+refs/heads/main:refs/remotes/upstream/main');
  assert.ok(existsSync(join(root, 'shallow')));

  await fetchRoot({ folder: root, upstream, defaultBranch: 'main', signal: limit() });

  assert.equal(existsSync(join(root, 'shallow')), false);
  assert.equal(run(root, 'rev-list', '--count', 'upstream/main'), '3');
});
