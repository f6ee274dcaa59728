import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommitId } from '../../src/contract/ids.ts';
import { resumePull } from '../../src/git/resume-pull.ts';
import { pinCloneWork } from '../../src/git/unsaved-work.ts';
import { cloned, land, type Place } from './cloned.ts';
import { limit, makeFifo, newScratch, operator, run, write, type Scratch } from './scratch.ts';

interface Kind {
  readonly options: readonly string[];
  readonly wanted: string;
}

const ofFolders: Kind = { options: ['--cone'], wanted: 'src' };
const kinds: Readonly<Record<string, Kind>> = {
  'of folders': ofFolders,
  'of folders, with an index as sparse': { options: ['--cone', '--sparse-index'], wanted: 'src' },
  'of patterns': { options: ['--no-cone'], wanted: '/src/' },
};

/** A clone with `src` alone checked out, as git does it: the setting is in a file of its own, for this work tree. */
async function sparse(scratch: Scratch, { options, wanted }: Kind): Promise<Place> {
  const place = await cloned(scratch);
  land(place.root, { 'docs/old.txt': 'old\n', 'docs/more/old.txt': 'old\n' }, scratch);
  await place.pull();
  run(place.clone, 'sparse-checkout', 'set', ...options, wanted);
  assert.equal(existsSync(join(place.clone, 'docs')), false);
  assert.match(readFileSync(join(place.clone, '.git/config.worktree'), 'utf8'), /sparseCheckout = true/);
  return place;
}

const outside = { 'docs/old.txt': 'landed\n', 'docs/new.txt': 'landed\n', 'other/new.txt': 'landed\n' };
const landedFiles = { ...outside, 'src/a.txt': 'landed\n', 'src/new.txt': 'landed\n' };

function assertSparse(clone: string, isIndexSparse: boolean): void {
  for (const name of ['docs', 'other']) assert.equal(existsSync(join(clone, name)), false, name);
  for (const name of ['a', 'new']) assert.equal(readFileSync(join(clone, `src/${name}.txt`), 'utf8'), 'landed\n');
  assert.equal(run(clone, 'status', '--porcelain'), '');
  const skipped = run(clone, 'ls-files', '-t')
    .split('\n')
    .filter((line) => line.startsWith('S '));
  for (const name of [...Object.keys(outside), 'docs/more/old.txt']) assert.ok(skipped.includes(`S ${name}`), name);
  assert.equal(run(clone, 'ls-files', '--sparse').split('\n').includes('docs/'), isIndexSparse);
}

for (const [what, kind] of Object.entries(kinds)) {
  const isIndexSparse = kind.options.includes('--sparse-index');

  test(`a sparse checkout ${what} is one after a pull as well`, async () => {
    using scratch = newScratch();
    const { clone, root, pull, status } = await sparse(scratch, kind);
    const landed = land(root, landedFiles, scratch);

    const pulled = await pull();

    assert.deepEqual([pulled.state, pulled.to], ['pulled', landed]);
    assertSparse(clone, isIndexSparse);
    assert.equal((await status()).dirty, 0);
  });

  test(`a sparse checkout ${what} is one after a pull that was cut short`, async () => {
    using scratch = newScratch();
    const { clone, root } = await sparse(scratch, kind);
    const old = CommitId.parse(run(clone, 'rev-parse', 'HEAD'));
    const landed = CommitId.parse(land(root, landedFiles, scratch));
    write(join(clone, 'src/new.txt'), 'landed\n');

    const others = await resumePull({
      folder: clone,
      rootFolder: root,
      branch: 'task',
      old,
      new: landed,
      lockedBeforeMs: Date.now(),
      aside: scratch.path('aside'),
      signal: limit(),
    });

    assert.deepEqual(others, []);
    assertSparse(clone, isIndexSparse);
  });

  test(`what is changed outside of a sparse checkout ${what} is seen, and pinned before a deletion`, async () => {
    using scratch = newScratch();
    const { clone, root, status } = await sparse(scratch, kind);
    write(join(clone, 'docs/old.txt'), 'mine\n');
    write(join(clone, 'docs/mine.txt'), 'mine\n');
    const place = { folder: clone, rootFolder: root, branch: 'task', defaultBranch: 'main', signal: limit() };

    const { dirty } = await status();
    const pins = await pinCloneWork({ ...place, upstreamHead: null, refPrefix: 'refs/pins', author: operator });

    assert.equal(dirty, 2);
    const uncommitted = pins.find(({ ref }) => ref === 'refs/pins/uncommitted')!.commit;
    assert.equal(run(root, 'diff', '--name-only', 'task', uncommitted), 'docs/mine.txt\ndocs/old.txt');
  });
}

test('a pipe or a link in the place of the settings for the work tree is left alone', async () => {
  using scratch = newScratch();
  const { clone, root, pull, status } = await sparse(scratch, ofFolders);
  const file = join(clone, '.git/config.worktree');
  renameSync(file, scratch.path('elsewhere'));
  symlinkSync(scratch.path('elsewhere'), file);
  land(root, landedFiles, scratch);

  const pulled = await pull();
  rmSync(file);
  makeFifo(file);
  const { state } = await status();

  assert.deepEqual([pulled.state, state], ['pulled', 'ok']);
  assert.ok(existsSync(join(clone, 'other/new.txt')), 'the link was not followed');
});
