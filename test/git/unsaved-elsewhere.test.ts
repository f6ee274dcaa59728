import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fetchRoot } from '../../src/git/root-repo.ts';
import { commit, limit, newScratch, run, write, type Scratch } from './scratch.ts';
import { working } from './working.ts';

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
