import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommitId } from '../../src/contract/ids.ts';
import { resumePull } from '../../src/git/resume-pull.ts';
import { cloned } from './cloned.ts';
import { commit, limit, makeFifo, newScratch, run, write, type Scratch } from './scratch.ts';

interface CutPull {
  readonly clone: string;
  readonly aside: string;
  /** Brings the pull to its end, sees to it that the clone is as the new commit, and gives what was copied aside. */
  resume(): Promise<string[]>;
}

/** A clone at one commit that was to be moved to another; `before` and `after` make them in a work tree. */
async function cutPull(
  scratch: Scratch,
  { before, after }: { before: (folder: string) => void; after: (folder: string) => void },
): Promise<CutPull> {
  const { clone, root, pull } = await cloned(scratch);
  const other = scratch.path('other');
  run(scratch.folder, 'clone', '--quiet', '--branch=task', root, other);
  const land = (make: (folder: string) => void): CommitId => {
    make(other);
    const landed = commit(other, {});
    run(other, 'push', '--quiet', 'origin', 'task');
    return CommitId.parse(landed);
  };
  const old = land(before);
  assert.equal((await pull()).state, 'pulled');
  const landed = land(after);
  const aside = scratch.path('aside');
  return {
    clone,
    aside,
    async resume() {
      const place = { folder: clone, rootFolder: root, branch: 'task', aside, signal: limit() };
      const made = await resumePull({ ...place, old, new: landed, lockedBeforeMs: Date.now() });
      assert.ok(made !== null);
      assert.equal(run(clone, 'rev-parse', 'HEAD'), landed);
      assert.equal(run(clone, 'status', '--porcelain', '--ignored', '--ignore-submodules=all'), '');
      return made.toSorted();
    },
  };
}

function link(target: string, path: string): void {
  rmSync(path, { recursive: true, force: true });
  symlinkSync(target, path);
}

function folder(path: string, files: Record<string, string>): void {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  for (const [name, text] of Object.entries(files)) write(join(path, name), text);
}

const ofTheNew = {
  before: (at: string): void => symlinkSync('a', join(at, 'lnk')),
  after(at: string): void {
    for (const name of ['f/1', 'f/7', 'g/1', 'h/1', 'zzz', 'yyy']) write(join(at, name), 'new\n');
    link('b', join(at, 'lnk'));
  },
};

test('links and folders that were made where a cut pull has to write are copied aside as they are', async () => {
  using scratch = newScratch();
  const { clone, aside, resume } = await cutPull(scratch, ofTheNew);
  write(join(clone, 'f/1'), 'new\n');
  link('mine', join(clone, 'lnk'));
  folder(join(clone, 'zzz'), { notes: 'mine\n', 'deep/more': 'mine\n' });
  link('elsewhere', join(clone, 'zzz/deep/link'));
  link('precious', join(clone, 'f/7'));

  assert.deepEqual(await resume(), ['f/7', 'lnk', 'zzz']);

  assert.deepEqual(
    ['f/7', 'lnk', 'zzz/deep/link'].map((name) => readlinkSync(join(aside, name))),
    ['precious', 'mine', 'elsewhere'],
  );
  for (const name of ['zzz/notes', 'zzz/deep/more']) assert.equal(readFileSync(join(aside, name), 'utf8'), 'mine\n');
  assert.equal(readlinkSync(join(clone, 'lnk')), 'b');
});

test('what was made where a folder has to be is copied aside, and a link there is not followed', async () => {
  using scratch = newScratch();
  const { clone, aside, resume } = await cutPull(scratch, ofTheNew);
  write(scratch.path('elsewhere/1'), 'mine\n');
  link(scratch.path('elsewhere'), join(clone, 'f'));
  link(scratch.path('elsewhere'), join(clone, 'src'));
  write(join(clone, 'g'), 'mine\n');

  assert.deepEqual(await resume(), ['f', 'g', 'src']);

  assert.equal(readlinkSync(join(aside, 'f')), scratch.path('elsewhere'));
  assert.equal(readFileSync(join(aside, 'g'), 'utf8'), 'mine\n');
  assert.deepEqual(readdirSync(scratch.path('elsewhere')), ['1']);
  assert.equal(readFileSync(scratch.path('elsewhere/1'), 'utf8'), 'mine\n');
});

test('a repository that was made in the way is copied whole, and what holds nothing is not named', async () => {
  using scratch = newScratch();
  const { clone, aside, resume } = await cutPull(scratch, ofTheNew);
  folder(join(clone, 'zzz'), {});
  run(join(clone, 'zzz'), 'init', '--quiet');
  const made = commit(join(clone, 'zzz'), { own: 'mine\n' });
  makeFifo(join(clone, 'zzz/pipe'));
  makeFifo(join(clone, 'yyy'));
  mkdirSync(join(clone, 'f/1/empty'), { recursive: true });

  assert.deepEqual(await resume(), ['zzz']);

  assert.equal(run(join(aside, 'zzz'), 'rev-parse', 'HEAD'), made);
  assert.equal(run(join(aside, 'zzz'), 'status', '--porcelain'), '');
});

const swapped = {
  before(at: string): void {
    for (const name of ['gone', 'gone-too', 'turn', 'swap/x', 'swap/deep/y', 'edited']) write(join(at, name), 'old\n');
  },
  after(at: string): void {
    for (const name of ['gone', 'gone-too', 'turn', 'swap']) rmSync(join(at, name), { recursive: true });
    for (const name of ['turn/x', 'swap', 'edited']) write(join(at, name), 'new\n');
  },
};

test('of what a cut pull itself has left nothing is copied aside, and what is to be removed goes', async () => {
  using scratch = newScratch();
  const { clone, aside, resume } = await cutPull(scratch, swapped);
  rmSync(join(clone, 'gone'));
  rmSync(join(clone, 'swap/x'));
  write(join(clone, 'edited'), 'new\n');

  assert.deepEqual(await resume(), []);

  assert.equal(existsSync(aside), false);
});

test('what somebody changed where a cut pull has to remove is copied aside', async () => {
  using scratch = newScratch();
  const { clone, aside, resume } = await cutPull(scratch, swapped);
  write(join(clone, 'gone'), 'mine\n');
  link('mine', join(clone, 'gone-too'));
  write(join(clone, 'swap/x'), 'mine\n');
  write(join(clone, 'swap/notes'), 'mine\n');
  link('mine', join(clone, 'turn'));

  assert.deepEqual(await resume(), ['gone', 'gone-too', 'swap', 'turn']);

  for (const name of ['gone', 'swap/x', 'swap/notes']) assert.equal(readFileSync(join(aside, name), 'utf8'), 'mine\n');
  for (const name of ['gone-too', 'turn']) assert.equal(readlinkSync(join(aside, name)), 'mine');
});

for (const mark of ['--assume-unchanged', '--skip-worktree']) {
  test(`a changed file that git does not look at for ${mark} is copied aside as well`, async () => {
    using scratch = newScratch();
    const { clone, aside, resume } = await cutPull(scratch, ofTheNew);
    run(clone, 'update-index', mark, 'README.md');
    write(join(clone, 'README.md'), 'mine\n');

    assert.deepEqual(await resume(), ['README.md']);

    assert.equal(readFileSync(join(aside, 'README.md'), 'utf8'), 'mine\n');
  });
}

test('a link in the place of a submodule is copied aside, and what is in its folder stays', async () => {
  using scratch = newScratch();
  const addSubmodule = (at: string, name: string): void =>
    void run(at, 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},${name}`);
  const { clone, aside, resume } = await cutPull(scratch, {
    before(at) {
      for (const name of ['linked', 'filled']) mkdirSync(join(at, name));
      for (const name of ['linked', 'filled']) addSubmodule(at, name);
    },
    after: (at) => write(join(at, 'new'), 'new\n'),
  });
  run(join(clone, 'filled'), 'init', '--quiet');
  write(join(clone, 'filled/own'), 'mine\n');
  link('mine', join(clone, 'linked'));

  assert.deepEqual(await resume(), ['linked']);

  assert.equal(readlinkSync(join(aside, 'linked')), 'mine');
  assert.equal(readFileSync(join(clone, 'filled/own'), 'utf8'), 'mine\n');
});

test('a file whose name is not UTF-8 is copied aside under that name', async () => {
  using scratch = newScratch();
  const nameIn = (at: string): Buffer => Buffer.concat([Buffer.from(`${at}/caf`), Buffer.from([0xe9])]);
  const { clone, aside, resume } = await cutPull(scratch, {
    before: () => undefined,
    after: (at) => writeFileSync(nameIn(at), 'new\n'),
  });
  writeFileSync(nameIn(clone), 'mine\n');

  assert.equal((await resume()).length, 1);

  assert.equal(readFileSync(nameIn(aside), 'utf8'), 'mine\n');
  assert.ok(lstatSync(nameIn(clone)).isFile());
});
