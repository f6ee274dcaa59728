import assert from 'node:assert/strict';
import { linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { BundleFrame } from '../../src/git/bundle-frames.ts';
import { collect, started, take } from './run-folder.ts';
import { commit, newScratch, run, type Scratch, write } from './scratch.ts';

interface Left {
  readonly app: string;
  readonly root: string;
  readonly start: string;
  readonly runFolder: string;
  /** What comes out of the worktree, taken into the root repo. */
  out(isPassed: boolean): Promise<BundleFrame>;
}

async function left(scratch: Scratch, act: (app: string, start: string) => void): Promise<Left> {
  const begun = await started(scratch);
  const { app, root, start, runFolder } = begun;
  act(app, start);
  return {
    ...begun,
    async out(isPassed) {
      const [frame, ...more] = await collect(scratch, runFolder, start, isPassed);
      assert.ok(frame !== undefined && more.length === 0, 'the worktree could not be collected');
      await take(root, frame);
      return frame;
    },
  };
}

const plants: Record<string, (git: string, app: string, start: string) => void> = {
  'folders where the index and the bundle go': (git) => {
    for (const name of ['takt-out-index', 'takt-out-bundle']) mkdirSync(join(git, name, 'x'), { recursive: true });
  },
  'links where the index and the bundle go': (git, app) => {
    for (const name of ['takt-out-index', 'takt-out-bundle']) linkSync(join(app, 'src/a.txt'), join(git, name));
  },
  'locks, as files and folders': (git) => {
    for (const name of ['index', 'HEAD', 'packed-refs', 'takt-out-bundle']) write(join(git, `${name}.lock`), '');
    mkdirSync(join(git, 'takt-out-index.lock/x'), { recursive: true });
  },
  'a packed ref in the way of ours': (_, app, start) => {
    run(app, 'update-ref', 'refs/takt-out', start);
    run(app, 'pack-refs', '--all');
  },
  'a packed ref below ours': (_, app, start) => {
    run(app, 'update-ref', 'refs/takt-out/head/x', start);
    run(app, 'pack-refs', '--all');
  },
  'links where git’s words went once': (git, app) => linkSync(join(app, 'src/a.txt'), join(git, 'takt-out-words')),
};

for (const [what, plant] of Object.entries(plants))
  test(`work comes out whole past ${what}`, async () => {
    using scratch = newScratch();
    const { root, out, app } = await left(scratch, (at, start) => {
      write(join(at, 'src/a.txt'), 'important\n');
      write(join(at, 'new.txt'), 'new\n');
      plant(join(at, '.git'), at, start);
    });

    const failed = await out(false);
    const passed = await out(true);

    for (const commitOf of [failed.leftover, passed.head])
      assert.equal(run(root, 'show', `${commitOf}:src/a.txt`, `${commitOf}:new.txt`), 'important\nnew');
    assert.equal(readFileSync(join(app, 'src/a.txt'), 'utf8'), 'important\n');
  });

test('a change that the index hides is work like any other, and a sparse checkout deletes nothing', async () => {
  using scratch = newScratch();
  const { root, out, start } = await left(scratch, (app) => {
    commit(app, { 'one.txt': '1\n', 'two.txt': '2\n', 'src/out.txt': 'out\n' });
    run(app, 'update-index', '--assume-unchanged', 'one.txt');
    run(app, 'update-index', '--skip-worktree', 'two.txt', 'src/out.txt');
    write(join(app, 'one.txt'), 'hidden\n');
    write(join(app, 'two.txt'), 'hidden too\n');
    rmSync(join(app, 'src/out.txt'));
  });

  const failed = await out(false);
  const passed = await out(true);

  for (const work of [failed.leftover, passed.head]) {
    assert.equal(
      run(root, 'show', `${work}:one.txt`, `${work}:two.txt`, `${work}:src/out.txt`),
      'hidden\nhidden too\nout',
    );
  }
  assert.notEqual(passed.head, start);
});

test('a file that git cannot take in leaves all of the work in the folder, and none of it behind', async () => {
  using scratch = newScratch();
  const { out } = await left(scratch, (app) => {
    commit(app, { '.gitattributes': '*.ps1 working-tree-encoding=UTF-16\n' });
    writeFileSync(join(app, 's.ps1'), Buffer.from('\ufeffa\n', 'utf16le'));
    commit(app, {});
    write(join(app, 's.ps1'), 'plain\n');
    write(join(app, 'src/a.txt'), 'important\n');
  });

  await assert.rejects(out(true), /could not be collected/);
});

test('line ends that a setting of the work would refuse come out', async () => {
  using scratch = newScratch();
  const { root, out } = await left(scratch, (app) => {
    run(app, 'config', 'core.autocrlf', 'input');
    run(app, 'config', 'core.safecrlf', 'true');
    write(join(app, 'src/a.txt'), 'a\r\nb\n');
  });

  const { head } = await out(true);

  assert.match(run(root, 'show', `${head}:src/a.txt`), /^a\r?\nb$/);
});

test('commits and files of another work tree of the repository are not forgotten', async () => {
  using scratch = newScratch();
  let other = '';
  const { root, out } = await left(scratch, (app) => {
    run(app, 'worktree', 'add', '--quiet', '--detach', '../other');
    other = commit(join(app, '../other'), { 'other.txt': 'other\n' });
  });

  const { leftover, leftInFolder, joined } = await out(true);

  assert.ok(run(root, 'rev-list', leftover!).split('\n').includes(other));
  assert.deepEqual([joined, leftInFolder], [{ uncommitted: null }, true]);
});

test('a repository among files that are tracked is said to be in the folder only, one that is ignored is not', async () => {
  using scratch = newScratch();
  const { out, app } = await left(scratch, (at) => {
    write(join(at, '.git/info/exclude'), 'vendor\n');
    run(at, 'init', '--quiet', 'vendor/lib');
  });

  const ignored = await out(true);
  run(join(app, 'src'), 'init', '--quiet');
  const tracked = await out(true);

  assert.deepEqual([ignored.leftInFolder, tracked.leftInFolder], [undefined, true]);
});

test('a submodule is safe while it is as the attempt found it, and no longer', async () => {
  using scratch = newScratch();
  const { root, start, runFolder, app } = await started(scratch);
  const lib = join(app, 'lib');
  run(app, 'init', '--quiet', 'lib');
  commit(lib, { 'x.txt': 'x\n' });
  run(app, 'add', 'lib');
  run(app, 'commit', '--quiet', '--message=as a submodule');
  const added = (await collect(scratch, runFolder, start, true))[0]!;
  await take(root, added);
  const left = async (): Promise<boolean> =>
    (await collect(scratch, runFolder, added.head!, true))[0]?.leftInFolder === true;

  const asFound = await left();
  write(join(app, 'src/a.txt'), 'changed beside it\n');
  const beside = await left();
  write(join(lib, 'x.txt'), 'edited\n');
  const edited = await left();
  run(lib, 'checkout', '--quiet', '.');
  write(join(lib, 'new.txt'), 'new\n');
  const untracked = await left();
  commit(lib, {});
  const moved = await left();

  assert.deepEqual(
    [added.leftInFolder, asFound, beside, edited, untracked, moved],
    [true, false, false, true, true, true],
  );
});

test('a repository below a folder with a line feed in its name is not overlooked', async () => {
  using scratch = newScratch();
  const { out } = await left(scratch, (app) => {
    mkdirSync(join(app, 'a\nb'));
    run(join(app, 'a\nb'), 'init', '--quiet', 'n');
    write(join(app, 'a\nb/n/w'), 'w\n');
  });

  assert.equal((await out(true)).leftInFolder, true);
});

test('what is in the index only comes out beside the rest', async () => {
  using scratch = newScratch();
  const { root, out } = await left(scratch, (app) => {
    write(join(app, 'w.txt'), 'staged\n');
    run(app, 'add', 'w.txt');
    rmSync(join(app, 'w.txt'));
    write(join(app, 'v.txt'), 'v\n');
  });

  const { leftover, joined } = await out(false);

  assert.equal(run(root, 'show', `${leftover}^2:w.txt`), 'staged');
  assert.equal(run(root, 'show', `${joined!.uncommitted}:v.txt`), 'v');
  assert.equal(run(root, 'rev-parse', `${leftover}^1`), joined!.uncommitted);
});

test('a stash is told from what is uncommitted', async () => {
  using scratch = newScratch();
  const { root, out } = await left(scratch, (app) => {
    write(join(app, 'src/a.txt'), 'stashed\n');
    run(app, 'stash', '--quiet');
    write(join(app, 'un.txt'), 'un\n');
  });

  const both = await out(false);
  const plain = await out(false);

  assert.equal(run(root, 'show', `${both.joined!.uncommitted}:un.txt`), 'un');
  assert.equal(run(root, 'rev-parse', `${both.leftover}^1`), both.joined!.uncommitted);
  assert.equal(run(root, 'show', `${both.leftover}^2:src/a.txt`), 'stashed');
  // The stash came out before.
  assert.equal(plain.joined, undefined);
});

test('a link in the place of the run’s own names is not followed', async () => {
  using scratch = newScratch();
  const precious = scratch.path('precious');
  write(precious, 'precious\n');
  const { out } = await left(scratch, (app) => {
    write(join(app, 'new.txt'), 'new\n');
    for (const name of ['takt-out-index', 'takt-out-bundle', 'takt-out-words'])
      symlinkSync(precious, join(app, '.git', name));
  });

  await out(true);

  assert.equal(readFileSync(precious, 'utf8'), 'precious\n');
});
