import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { reposWithWork } from '../../src/git/repos-with-work.ts';
import { commit, limit, newScratch, run, write, type Scratch } from './scratch.ts';
import { type Work, working } from './working.ts';

/** A repository that was cloned from another. */
function vendored(scratch: Scratch, folder: string): string {
  const from = scratch.path('vendor');
  if (!existsSync(from)) {
    run(scratch.folder, 'init', '--quiet', from);
    commit(from, { 'v.txt': 'v\n' });
  }
  run(scratch.folder, 'clone', '--quiet', from, folder);
  return folder;
}

async function ignoring(scratch: Scratch): Promise<Work & { within(): Promise<[string, boolean][]> }> {
  const work = await working(scratch);
  write(join(work.clone, '.git/info/exclude'), '/ignored/\nnode_modules/\n');
  const place = { folder: work.clone, rootFolder: work.root, signal: limit() };
  const within = async (): Promise<[string, boolean][]> =>
    (await reposWithWork(place)).map(({ path, isApart }) => [path, isApart]);
  return { ...work, within };
}

const nested: Readonly<Record<string, { path: string; make(folder: string, scratch: Scratch): void }>> = {
  'with commits of its own': {
    path: 'ignored/deep/mine',
    make: (folder, scratch) => {
      run(scratch.folder, 'init', '--quiet', folder);
      commit(folder, { a: 'a' });
    },
  },
  'that was cloned, and changed': {
    path: 'ignored/mine',
    make: (folder, scratch) => write(join(vendored(scratch, folder), 'v.txt'), 'mine\n'),
  },
  'that was cloned, with a commit more': {
    path: 'node_modules/@me/mine',
    make: (folder, scratch) => void commit(vendored(scratch, folder), { more: 'x' }),
  },
  'without a work tree': {
    path: 'ignored/mine.git',
    make: (folder, scratch) => {
      const from = scratch.path('from');
      run(scratch.folder, 'init', '--quiet', from);
      commit(from, { a: 'a' });
      run(scratch.folder, 'clone', '--quiet', '--bare', from, folder);
    },
  },
  'whose HEAD is gone': {
    path: 'ignored/mine',
    make: (folder, scratch) => {
      run(scratch.folder, 'init', '--quiet', folder);
      commit(folder, { a: 'a' });
      rmSync(join(folder, '.git/HEAD'));
      rmSync(join(folder, '.git/refs'), { recursive: true });
    },
  },
};

for (const [what, { path, make }] of Object.entries(nested)) {
  test(`a repository within an ignored folder ${what} is named, and can be moved alone`, async () => {
    using scratch = newScratch();
    const { clone, unsaved, within } = await ignoring(scratch);
    make(join(clone, path), scratch);

    assert.deepEqual(await unsaved(), [`1 repository within the clone may hold what is nowhere else: ${path}.`]);
    assert.deepEqual(await within(), [[path, true]]);
  });
}

test('a repository within the clone that has all from its own remote stops nothing while it is ignored', async () => {
  using scratch = newScratch();
  const { clone, unsaved, within } = await ignoring(scratch);
  vendored(scratch, join(clone, 'ignored/vendor'));

  assert.deepEqual(await unsaved(), []);
  run(scratch.folder, 'clone', '--quiet', scratch.path('vendor'), join(clone, 'plain'));
  assert.deepEqual(await within(), [['plain', true]]);
});

test('tags that a clone within the clone got with it stop nothing, also where one of them is all that it has', async () => {
  using scratch = newScratch();
  const { clone, unsaved } = await ignoring(scratch);
  vendored(scratch, scratch.path('any'));
  const origin = scratch.path('vendor');
  run(origin, 'checkout', '--quiet', '--detach');
  commit(origin, { release: '9' });
  run(origin, 'tag', '--annotate', '--message=nine', 'v9');
  run(origin, 'checkout', '--quiet', '-');
  run(scratch.folder, 'clone', '--quiet', origin, join(clone, 'ignored/all'));
  const shallow = ['clone', '--quiet', '--depth=1', '--branch=v9', `file://${origin}`];
  run(scratch.folder, ...shallow, join(clone, 'ignored/one'));

  assert.deepEqual(await unsaved(), []);
  commit(join(clone, 'ignored/one'), { mine: 'mine' });
  assert.equal((await unsaved()).length, 1);
});

test('files that look like a repository stop nothing where the clone tracks them', async () => {
  using scratch = newScratch();
  const { upstream, clone, unsaved, fetch } = await working(scratch);
  for (const folder of ['', 'fixtures/sample.git/'])
    commit(upstream, {
      [`${folder}HEAD`]: 'ref',
      [`${folder}objects/a`]: 'a',
      [`${folder}refs/heads/b`]: '1'.repeat(40),
    });
  await fetch();
  run(clone, 'pull', '--quiet', 'origin', 'main');

  assert.deepEqual(await unsaved(), []);
});

test('nothing that a repository within the clone names as a program is run', async () => {
  using scratch = newScratch();
  const { clone, unsaved } = await ignoring(scratch);
  const folder = vendored(scratch, join(clone, 'ignored/vendor'));
  run(folder, 'config', 'core.fsmonitor', `touch ${scratch.path('canary')}; false`);
  run(folder, 'config', 'filter.evil.clean', `touch ${scratch.path('canary')}; cat`);
  write(join(folder, '.git/info/attributes'), '* filter=evil\n');
  write(join(folder, 'v.txt'), 'w\n');

  assert.equal((await unsaved()).length, 1);
  assert.equal(existsSync(scratch.path('canary')), false);
});

test('work of submodules is named, and is not moved without what the clone keeps of them', async () => {
  using scratch = newScratch();
  const { upstream, clone, unsaved, within, fetch } = await ignoring(scratch);
  vendored(scratch, scratch.path('any'));
  const allow = ['-c', 'protocol.file.allow=always'];
  run(upstream, ...allow, 'submodule', '--quiet', 'add', scratch.path('vendor'), 'lib');
  run(upstream, 'commit', '--quiet', '--message=submodule');
  await fetch();
  run(clone, 'pull', '--quiet', 'origin', 'main');
  run(clone, ...allow, 'submodule', '--quiet', 'update', '--init');

  assert.deepEqual(await unsaved(), [], 'it is as it was fetched');
  run(join(clone, 'lib'), 'checkout', '--quiet', '--detach');
  const tip = commit(join(clone, 'lib'), { more: 'x' });
  assert.deepEqual(await within(), [['lib', false]]);
  run(join(clone, 'lib'), 'checkout', '--quiet', `${tip}~`);
  write(join(clone, 'lib/v.txt'), 'mine\n');
  assert.deepEqual(await within(), [['lib', false]]);
  run(join(clone, 'lib'), 'checkout', '--quiet', '.');
  run(join(clone, 'lib'), 'branch', 'kept', tip);
  run(clone, 'submodule', '--quiet', 'deinit', 'lib');
  assert.deepEqual(await within(), [['.git/modules/lib', false]]);
});

test('a linked work tree within the clone stops nothing until its files are changed', async () => {
  using scratch = newScratch();
  const { clone, unsaved, within } = await ignoring(scratch);
  run(clone, 'worktree', 'add', '--quiet', '-b', 'beside', 'ignored/wt');

  assert.deepEqual(await unsaved(), []);
  write(join(clone, 'ignored/wt/README.md'), 'mine\n');
  assert.deepEqual(await within(), [['ignored/wt', false]]);
});
