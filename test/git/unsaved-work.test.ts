import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commit, newScratch, run, write, makeFifo } from './scratch.ts';
import { working } from './working.ts';

test('a clone without work is safe to delete, and so is one that is gone', async () => {
  using scratch = newScratch();
  const { clone, unsaved } = await working(scratch);

  assert.deepEqual(await unsaved(), []);
  rmSync(clone, { recursive: true });
  assert.deepEqual(await unsaved(), []);
});

test('a clone in which git would wait for a pipe is named as one that cannot be read', async () => {
  using scratch = newScratch();
  const { clone, unsaved } = await working(scratch);
  makeFifo(join(clone, '.git', 'objects', 'info', 'alternates'));

  assert.match((await unsaved()).join(), /alternates is a special file/);
});

test('changed files, unpushed commits, other branches, stashes and a detached HEAD are named', async () => {
  using scratch = newScratch();
  const { clone, unsaved } = await working(scratch);
  write(join(clone, 'README.md'), 'stashed');
  run(clone, 'stash', '--quiet');
  run(clone, 'checkout', '-q', '-b', 'side');
  commit(clone, { side: 'x' });
  run(clone, 'checkout', '-q', 'task');
  commit(clone, { own: 'x' });
  run(clone, 'checkout', '-q', '--detach');
  commit(clone, { detached: 'x' });
  write(join(clone, 'README.md'), 'edited');
  write(join(clone, 'new'), 'x');

  const sentences = (await unsaved()).map((sentence) => sentence.replace(/ \([0-9a-f]{10}\)/, ''));

  assert.deepEqual(sentences, [
    '2 files are changed or untracked: README.md, new.',
    'The branch side has commits that were not pushed.',
    'The branch task has commits that were not pushed.',
    'The stash has commits that were not pushed.',
    'The detached HEAD has commits that were not pushed.',
  ]);
});

test('pushed work that is neither on upstream nor merged is named, and is safe once it is on upstream', async () => {
  using scratch = newScratch();
  const { clone, upstream, unsaved, fetch } = await working(scratch);
  const tip = commit(clone, { own: 'x' });
  run(clone, 'push', '--quiet');

  assert.deepEqual(await unsaved(), ['The branch task has 1 commit neither on upstream nor merged there.']);
  assert.deepEqual(await unsaved(tip), []);
  run(upstream, 'fetch', '--quiet', clone, 'task:task');
  await fetch();
  assert.deepEqual(await unsaved(), []);
});

const merges: Record<string, (upstream: string, clone: string) => void> = {
  'a merge commit': (upstream) => run(upstream, 'merge', '--quiet', '--no-ff', '-m', 'merge', 'FETCH_HEAD'),
  'a squash merge': (upstream) => {
    run(upstream, 'merge', '--quiet', '--squash', 'FETCH_HEAD');
    run(upstream, 'commit', '--quiet', '-m', 'squashed');
  },
  'a squash merge, and then changes of the same lines': (upstream) => {
    run(upstream, 'merge', '--quiet', '--squash', 'FETCH_HEAD');
    run(upstream, 'commit', '--quiet', '-m', 'squashed');
    commit(upstream, { 'src/a.txt': 'all\nother\n', second: 'y' }, 'went on');
  },
  'picked commits, and then changes of the same lines': (upstream) => {
    run(upstream, 'cherry-pick', 'FETCH_HEAD~1', 'FETCH_HEAD');
    commit(upstream, { 'src/a.txt': 'all\nother\n', second: 'y' }, 'went on');
  },
};

for (const [what, merge] of Object.entries(merges)) {
  test(`work is safe after ${what}`, async () => {
    using scratch = newScratch();
    const { clone, upstream, unsaved, fetch } = await working(scratch);
    commit(clone, { 'src/a.txt': 'one\ntwo changed\nthree\n' });
    commit(clone, { second: 'x' });
    run(clone, 'push', '--quiet');
    commit(upstream, { unrelated: 'x' });
    run(upstream, 'fetch', '--quiet', clone, 'task');

    merge(upstream, clone);
    assert.equal((await unsaved()).length, 1);
    await fetch();

    assert.deepEqual(await unsaved(), []);
  });
}

test('a squash merge of a part only does not make the rest safe', async () => {
  using scratch = newScratch();
  const { clone, upstream, unsaved, fetch } = await working(scratch);
  commit(clone, { first: 'x' });
  run(upstream, 'fetch', '--quiet', clone, 'task');
  run(upstream, 'cherry-pick', 'FETCH_HEAD');
  commit(clone, { second: 'x' });
  run(clone, 'push', '--quiet');
  await fetch();

  assert.equal((await unsaved()).length, 1);
});

test('all work of a clone is pinned in the root repo and can be read there after the clone is gone', async () => {
  using scratch = newScratch();
  const { clone, root, pin } = await working(scratch);
  const pushed = commit(clone, { pushed: 'x' });
  run(clone, 'push', '--quiet');
  write(join(clone, 'README.md'), 'stashed\n');
  run(clone, 'stash', '--quiet');
  run(clone, 'checkout', '-q', '-b', 'side/way');
  const side = commit(clone, { side: 'x' });
  run(clone, 'checkout', '-q', 'task');
  write(join(clone, 'README.md'), 'edited\n');
  write(join(clone, 'deep/new.txt'), 'new\n');
  run(clone, 'config', 'filter.evil.clean', `touch ${scratch.path('canary')}`);
  write(join(clone, '.git/info/attributes'), '* filter=evil\n');

  const pins = await pin();
  rmSync(clone, { recursive: true });

  const of = (name: string): string =>
    pins.find(({ ref }) => ref === `refs/takt/deleted/task/${name}`)?.commit ?? 'none';
  assert.deepEqual(pins.map(({ ref }) => ref.slice('refs/takt/deleted/task/'.length)).sort(), [
    'branch',
    'branches/side/way',
    'stashes/0',
    'uncommitted',
  ]);
  assert.deepEqual([of('branch'), of('branches/side/way')], [pushed, side]);
  assert.equal(run(root, 'show', `${of('uncommitted')}:README.md`), 'edited');
  assert.equal(run(root, 'show', `${of('uncommitted')}:deep/new.txt`), 'new');
  assert.equal(run(root, 'show', `${of('stashes/0')}:README.md`), 'stashed');
  assert.equal(run(root, 'log', '-1', '--format=%an|%cn', of('uncommitted')), 'Op Erator|takt');
  run(root, 'fsck', '--connectivity-only');
});

test('a branch whose work is safe elsewhere gets no pin', async () => {
  using scratch = newScratch();
  const { clone, pin } = await working(scratch);

  assert.deepEqual(await pin(), [], 'nothing was ever changed');
  const tip = commit(clone, { own: 'x' });
  run(clone, 'push', '--quiet');
  assert.deepEqual(await pin(tip), [], 'upstream has it under its own name');
  // The control: if upstream lacks it, it is nowhere else.
  assert.deepEqual(
    (await pin()).map(({ commit: pinned }) => pinned),
    [tip],
  );
});

test('a branch that was merged by a squash gets no pin, and what is beside it does', async () => {
  using scratch = newScratch();
  const { clone, upstream, pin, fetch } = await working(scratch);
  commit(clone, { own: 'x' });
  run(clone, 'push', '--quiet');
  run(upstream, 'fetch', '--quiet', clone, 'task');
  run(upstream, 'merge', '--quiet', '--squash', 'FETCH_HEAD');
  run(upstream, 'commit', '--quiet', '-m', 'squashed');
  await fetch();
  write(join(clone, 'new'), 'x');

  const pins = await pin();

  assert.deepEqual(
    pins.map(({ ref }) => ref),
    ['refs/takt/deleted/task/uncommitted'],
  );
});

test('a repository within a clone neither stops the pinning nor becomes a submodule', async () => {
  using scratch = newScratch();
  const { clone, root, pin } = await working(scratch);
  run(scratch.folder, 'init', '--quiet', join(clone, 'nested'));
  write(join(clone, 'nested/inside'), 'x');
  write(join(clone, 'beside'), 'x');

  const pins = await pin();

  const uncommitted = pins.find(({ ref }) => ref.endsWith('/uncommitted'))!.commit;
  assert.equal(run(root, 'diff', '--name-only', 'task', uncommitted), 'beside');
});
