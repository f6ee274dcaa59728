import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/contract/faults.ts';
import { commitSubjects, diffCommits, diffSummary, isAncestor, mergeCommits } from '../../src/git/history.ts';
import {
  compareAndSwapBranch,
  createBranch,
  deleteBranch,
  moveRefs,
  packRefs,
  pinCommits,
  readHeads,
  readRefs,
  refCommit,
  unpin,
} from '../../src/git/refs.ts';
import { commit, limit, newRoot, newScratch, operator, run } from './scratch.ts';

const signal = limit();

test('a merge is current, a fast-forward, a commit of two parents, or the files in conflict', async () => {
  using scratch = newScratch();
  const { root, upstream, start } = await newRoot(scratch);
  const ours = commit(upstream, { 'src/a.txt': 'ours\n', 'o b.txt': 'x' });
  run(upstream, 'checkout', '-q', '-b', 'theirs', start);
  const theirs = commit(upstream, { 'c.txt': 'x' });
  const clash = commit(upstream, { 'src/a.txt': 'theirs\n' });
  run(root, 'fetch', '--quiet', upstream, '+refs/heads/*:refs/remotes/upstream/*');
  const merge = async (one: string, other: string): ReturnType<typeof mergeCommits> =>
    mergeCommits(root, one, other, { author: operator, message: 'Both\n', signal });

  assert.deepEqual(await merge(ours, start), { kind: 'current', commit: ours });
  assert.deepEqual(await merge(start, ours), { kind: 'fast-forward', commit: ours });
  assert.deepEqual(await merge(ours, clash), { kind: 'conflict', files: ['src/a.txt'] });
  const merged = await merge(ours, theirs);
  assert.ok(merged.kind === 'merge');
  assert.equal(
    run(root, 'log', '-1', '--format=%P|%an|%cn|%ce|%s', merged.commit),
    `${ours} ${theirs}|Op Erator|takt|takt@localhost|Both`,
  );
  assert.equal(run(root, 'ls-tree', '-r', '--name-only', merged.commit), 'README.md\nc.txt\no b.txt\nsrc/a.txt');
});

test('a diff counts all and cuts the patch after a whole line', async () => {
  using scratch = newScratch();
  const { root, upstream, start } = await newRoot(scratch);
  const lines = Array.from({ length: 2000 }, (_, index) => `line ${index}\n`).join('');
  const tip = commit(upstream, { 'big.txt': lines, 'src/a.txt': 'one\n', 'bin.dat': 'a\0b' });
  run(root, 'fetch', '--quiet', upstream, '+main:refs/heads/task');

  const whole = await diffCommits(root, start, tip, { signal, limitBytes: 1 << 20 });
  const cut = await diffCommits(root, start, tip, { signal, limitBytes: 10_000 });

  assert.deepEqual([whole.files, whole.insertions, whole.deletions, whole.isCut], [3, 2000, 2, false]);
  assert.match(whole.patch, /^diff --git a\/big\.txt b\/big\.txt/m);
  assert.deepEqual([cut.files, cut.isCut], [3, true]);
  assert.ok(cut.patch.length <= 10_000 && (cut.patch === '' || cut.patch.endsWith('\n')));
  assert.match(await diffSummary(root, start, tip, { signal }), /3 files changed, 2000 insertions/);
  assert.deepEqual(
    (await commitSubjects(root, start, tip, { signal, limit: 10 })).map((subject) => subject.slice(8)),
    ['change'],
  );
  assert.equal((await commitSubjects(root, null, tip, { signal, limit: 10 })).length, 2);
  assert.equal(await isAncestor(root, start, tip, { signal }), true);
  assert.equal(await isAncestor(root, tip, start, { signal }), false);
  await assert.rejects(isAncestor(root, start, 'f'.repeat(40), { signal }), { code: 'GIT_FAILED' });
});

test('landing moves a branch from where it was expected, and never from elsewhere', async () => {
  using scratch = newScratch();
  const { root, upstream, start } = await newRoot(scratch);
  const next = commit(upstream, { x: 'x' });
  const foreign = commit(upstream, { y: 'y' });
  run(root, 'fetch', '--quiet', upstream);

  assert.equal(await compareAndSwapBranch(root, 'task', start, next, { signal }), 'moved');
  assert.equal(await compareAndSwapBranch(root, 'task', start, next, { signal }), 'already');
  assert.equal(await compareAndSwapBranch(root, 'task', start, foreign, { signal }), 'foreign');
  assert.equal(await compareAndSwapBranch(root, 'gone', start, next, { signal }), 'foreign');
  assert.equal(await compareAndSwapBranch(root, 'fresh', null, next, { signal }), 'moved');
  await assert.rejects(compareAndSwapBranch(root, 'task', next, 'f'.repeat(40), { signal }), { code: 'GIT_FAILED' });
  assert.equal(run(root, 'rev-parse', 'task'), next);
});

test('refs move together or not at all', async () => {
  using scratch = newScratch();
  const { root, upstream, start } = await newRoot(scratch);
  const next = commit(upstream, { x: 'x' });
  run(root, 'fetch', '--quiet', upstream);

  await assert.rejects(
    moveRefs(
      root,
      [
        { ref: 'refs/heads/task', from: start, to: next },
        { ref: 'refs/heads/other', from: start, to: next },
      ],
      { signal },
    ),
    Fault,
  );
  assert.equal(await refCommit(root, 'task', { signal }), start);
  await createBranch(root, 'made', next, { signal });
  await assert.rejects(createBranch(root, 'made', next, { signal }), { code: 'BRANCH_EXISTS' });
  assert.deepEqual(
    [...(await readHeads(root, { signal }))],
    [
      ['made', next],
      ['main', start],
      ['task', start],
    ],
  );
  await assert.rejects(deleteBranch(root, 'made', start, { signal }), { code: 'GIT_FAILED' });
  await deleteBranch(root, 'made', next, { signal });
  await deleteBranch(root, 'made', next, { signal });
  assert.equal(await refCommit(root, 'refs/heads/made', { signal }), null);
});

test('pins keep commits, many are packed, and only takt’s own refs can be unpinned', async () => {
  using scratch = newScratch();
  const { root, start } = await newRoot(scratch);
  const pins = Array.from({ length: 150 }, (_, index) => ({ ref: `refs/takt/runs/run_${index}/start`, commit: start }));

  await pinCommits(root, pins, { signal });
  await pinCommits(root, pins.slice(0, 1), { signal });
  await unpin(root, 'refs/takt/runs/run_1', { signal });
  await packRefs(root, { signal });

  assert.equal((await readRefs(root, 'refs/takt/', { signal })).size, 149);
  await assert.rejects(unpin(root, 'refs/heads/task', { signal }), { code: 'INTERNAL' });
  await assert.rejects(unpin(root, 'refs/takt/runs', { signal }), { code: 'INTERNAL' });
});

test('a folder that is no repository does not make git take one further up', async () => {
  using scratch = newScratch();
  run(scratch.folder, 'init', '--quiet');
  commit(scratch.folder, { x: 'x' });

  assert.equal(await refCommit(scratch.path('.git', 'objects'), 'HEAD', { signal }), null);
});
