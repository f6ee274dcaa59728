import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { reposWithWork } from '../../src/git/repos-with-work.ts';
import { fetchRoot } from '../../src/git/root-repo.ts';
import { commit, limit, newScratch, run, write, type Scratch } from './scratch.ts';
import { type Work, working } from './working.ts';

/** Work that no branch holds, no stash, and none of the files that git's status shows. */
interface Hidden {
  make(clone: string, scratch: Scratch): void;
  readonly named: RegExp;
  /** A revision below the pins, and what it says. */
  readonly pinned: string;
  readonly text: string;
}

const commitAndForget = (clone: string, keep: () => void): void => {
  write(join(clone, 'README.md'), 'mine\n');
  run(clone, 'commit', '--quiet', '--all', '--message=mine');
  keep();
  run(clone, 'reset', '--quiet', '--hard', 'HEAD~');
};

const ways: Readonly<Record<string, Hidden>> = {
  'a commit that only a tag holds': {
    make: (clone) => commitAndForget(clone, () => run(clone, 'tag', 'keepme')),
    named: /^The tag keepme has commits that were not pushed/,
    pinned: 'tags/keepme:README.md',
    text: 'mine',
  },
  'a commit that only a packed tag with a text holds': {
    make: (clone) => {
      commitAndForget(clone, () => run(clone, 'tag', '--annotate', '--message=why', 'keepme'));
      run(clone, 'pack-refs', '--all');
    },
    named: /^The tag keepme has commits that were not pushed/,
    pinned: 'tags/keepme:README.md',
    text: 'mine',
  },
  'the text of a tag': {
    make: (clone) => run(clone, 'tag', '--annotate', '--message=why', 'keepme'),
    named: /^The tag keepme /,
    pinned: 'tags/keepme',
    text: 'why',
  },
  'a note': {
    make: (clone) => run(clone, 'notes', 'add', '--message=noted'),
    named: /^refs\/notes\/commits has commits that were not pushed/,
    pinned: 'notes/commits',
    text: 'noted',
  },
  'a commit in a linked work tree': {
    make: (clone, scratch) => {
      run(clone, 'worktree', 'add', '--quiet', '--detach', scratch.path('wt'));
      commit(scratch.path('wt'), { 'README.md': 'mine\n' });
    },
    named: /^The detached HEAD of the linked work tree wt has commits that were not pushed/,
    pinned: 'worktrees/wt:README.md',
    text: 'mine',
  },
  'what a rebase has put by': {
    make: (clone) => {
      write(join(clone, 'README.md'), 'mine\n');
      const put = run(clone, 'stash', 'create');
      run(clone, 'checkout', '--quiet', '.');
      write(join(clone, '.git/rebase-merge/autostash'), `${put}\n`);
    },
    named: /^The stash has commits that were not pushed/,
    pinned: 'stashes/0:README.md',
    text: 'mine',
  },
  'a change of a file that is assumed to be unchanged': {
    make: (clone) => {
      run(clone, 'update-index', '--assume-unchanged', 'README.md');
      write(join(clone, 'README.md'), 'mine\n');
    },
    named: /^1 file is changed or untracked: README\.md\.$/,
    pinned: 'uncommitted:README.md',
    text: 'mine',
  },
  'a change of a file that git is to skip': {
    make: (clone) => {
      run(clone, 'update-index', '--skip-worktree', 'README.md');
      write(join(clone, 'README.md'), 'mine\n');
    },
    named: /^1 file is changed or untracked: README\.md\.$/,
    pinned: 'uncommitted:README.md',
    text: 'mine',
  },
  'what is staged and was deleted since': {
    make: (clone) => {
      write(join(clone, 'w'), 'mine\n');
      run(clone, 'add', 'w');
      rmSync(join(clone, 'w'));
    },
    named: /^1 file is changed or untracked: w\.$/,
    pinned: 'staged:w',
    text: 'mine',
  },
};

for (const [what, { make, named, pinned, text }] of Object.entries(ways)) {
  test(`${what} is named, and pinned before a deletion`, async () => {
    using scratch = newScratch();
    const { clone, root, unsaved, pin } = await working(scratch);
    make(clone, scratch);

    const [sentence, ...more] = await unsaved();
    await pin();
    rmSync(clone, { recursive: true });

    assert.match(sentence ?? 'nothing', named);
    assert.deepEqual(more, []);
    assert.match(run(root, 'show', `refs/takt/deleted/task/${pinned}`), new RegExp(`\\b${text}$`, 'm'));
  });
}

test('what is staged is pinned from the midst of a conflict as well', async () => {
  using scratch = newScratch();
  const { clone, root, pin } = await working(scratch);
  run(clone, 'checkout', '--quiet', '-b', 'side');
  commit(clone, { 'README.md': 'side\n' });
  run(clone, 'checkout', '--quiet', 'task');
  commit(clone, { 'README.md': 'task\n' });
  assert.throws(() => run(clone, 'merge', 'side'));
  write(join(clone, 'w'), 'mine\n');
  run(clone, 'add', 'w');
  rmSync(join(clone, 'w'));

  await pin();

  assert.equal(run(root, 'show', 'refs/takt/deleted/task/staged:w'), 'mine');
  assert.match(run(root, 'show', 'refs/takt/deleted/task/uncommitted:README.md'), /<<<<<<< HEAD/);
});

test('tags that were fetched, also such as upstream moved since, and a sparse checkout stop nothing', async () => {
  using scratch = newScratch();
  const { upstream, root, clone, unsaved, fetch } = await working(scratch);
  commit(upstream, { 'docs/a.txt': 'a\n' });
  run(upstream, 'tag', '--annotate', '--message=one', 'latest');
  await fetch();
  run(clone, 'fetch', '--quiet', '--tags');
  run(upstream, 'tag', '--force', '--annotate', '--message=two', 'latest');
  await fetchRoot({ folder: root, upstream, defaultBranch: 'main', signal: limit() });
  run(clone, 'sparse-checkout', 'set', '--no-cone', '/README.md');

  assert.equal(existsSync(join(clone, 'src/a.txt')), false);
  assert.notEqual(run(clone, 'rev-parse', 'latest'), run(root, 'rev-parse', 'latest'));
  assert.deepEqual(await unsaved(), []);
});

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
