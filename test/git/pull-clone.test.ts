import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cloned, land } from './cloned.ts';
import { commit, newScratch, run, type Scratch, write } from './scratch.ts';

test('pulling moves branch, files and index, and the clone depends on nothing', async () => {
  using scratch = newScratch();
  const { clone, root, pull, start, status } = await cloned(scratch);
  const landed = land(root, { 'src/a.txt': 'landed\n', 'src/new.txt': 'new\n' }, scratch);
  write(join(clone, 'untracked.txt'), 'mine');

  assert.deepEqual(await pull(), { state: 'pulled', from: start, to: landed, why: null });
  assert.deepEqual(await pull(), { state: 'current', from: landed, to: landed, why: null });

  assert.equal(readFileSync(join(clone, 'src/new.txt'), 'utf8'), 'new\n');
  assert.equal((await status()).dirty, 1);
  renameSync(root, `${root}-away`);
  assert.equal(run(clone, 'status', '--porcelain', '--branch'), '## task...origin/task\n?? untracked.txt');
  run(clone, 'fsck');
});

test('pulling refuses, and touches nothing, when it would cost work', async () => {
  using scratch = newScratch();
  const { clone, root, pull, start } = await cloned(scratch);
  land(root, { 'src/a.txt': 'landed\n', 'src/new.txt': 'new\n' }, scratch);
  const cases: [string, RegExp, () => void, () => void][] = [
    [
      'a changed file',
      /1 of its files are changed: README.md/,
      () => write(join(clone, 'README.md'), 'mine'),
      () => run(clone, 'checkout', '-q', '.'),
    ],
    [
      'a file in the way',
      /new\.txt/,
      () => write(join(clone, 'src/new.txt'), 'mine'),
      () => rmSync(join(clone, 'src/new.txt')),
    ],
    [
      'another branch',
      /on the branch side/,
      () => run(clone, 'checkout', '-q', '-b', 'side'),
      () => run(clone, 'checkout', '-q', 'task'),
    ],
    [
      'a merge under way',
      /a merge under way/,
      () => write(join(clone, '.git/MERGE_HEAD'), start),
      () => rmSync(join(clone, '.git/MERGE_HEAD')),
    ],
    [
      'a lock',
      /index.lock/,
      () => write(join(clone, '.git/index.lock'), ''),
      () => rmSync(join(clone, '.git/index.lock')),
    ],
    [
      'unpushed commits',
      /not pushed/,
      () => void commit(clone, { 'own.txt': 'x' }),
      () => run(clone, 'reset', '-q', '--hard', start),
    ],
  ];
  for (const [what, why, act, undo] of cases) {
    act();
    const head = run(clone, 'rev-parse', 'HEAD');
    const files = run(clone, 'status', '--porcelain');

    const result = await pull();

    assert.equal(result.state, 'refused', what);
    assert.match(result.why ?? '', why, what);
    assert.deepEqual([run(clone, 'rev-parse', 'HEAD'), run(clone, 'status', '--porcelain')], [head, files], what);
    undo();
  }
  assert.equal((await pull()).state, 'pulled');
});

/** What a run committed with `git add --force`, by name. */
const forced = { 'ign.env': 'landed\n', 'ign-folder': 'landed\n', 'ign-file/inside': 'landed\n' };

const ignored: Readonly<Record<string, { readonly path: string; readonly named: string }>> = {
  'a file': { path: 'ign.env', named: 'ign.env' },
  'a folder where a file has to be': { path: 'ign-folder/deep/mine', named: 'ign-folder' },
  'a file where a folder has to be': { path: 'ign-file', named: 'ign-file' },
};

for (const [what, { path, named }] of Object.entries(ignored)) {
  test(`pulling does not overwrite ${what} that git ignores`, async () => {
    using scratch = newScratch();
    const { clone, root, pull } = await cloned(scratch);
    land(root, { '.gitignore': 'ign*\n' }, scratch);
    await pull();
    landIgnored(root, scratch);
    write(join(clone, path), 'mine\n');
    const head = run(clone, 'rev-parse', 'HEAD');

    const { state, why } = await pull();

    assert.equal(state, 'refused');
    assert.ok(why?.includes(`what git does not track: ${named}.`), why ?? '');
    assert.equal(readFileSync(join(clone, path), 'utf8'), 'mine\n');
    assert.deepEqual([run(clone, 'rev-parse', 'HEAD'), run(clone, 'status', '--porcelain')], [head, '']);
  });
}

test('an ignored file that holds what landed is taken, and others that nothing has to replace stay', async () => {
  using scratch = newScratch();
  const { clone, root, pull } = await cloned(scratch);
  land(root, { '.gitignore': 'ign*\n' }, scratch);
  await pull();
  landIgnored(root, scratch);
  write(join(clone, 'ign.env'), 'landed\n');
  write(join(clone, 'ign.other'), 'mine\n');
  mkdirSync(join(clone, 'ign-folder/empty'), { recursive: true });
  write(join(clone, 'ign-file/beside'), 'mine\n');

  assert.equal((await pull()).state, 'pulled');

  for (const [name, text] of Object.entries(forced)) assert.equal(readFileSync(join(clone, name), 'utf8'), text, name);
  for (const name of ['ign.other', 'ign-file/beside']) assert.equal(readFileSync(join(clone, name), 'utf8'), 'mine\n');
  assert.equal(run(clone, 'status', '--porcelain'), '');
});

test('a folder of tracked files gives way to a file unless something ignored is in it', async () => {
  using scratch = newScratch();
  const { clone, root, pull } = await cloned(scratch);
  land(root, { '.gitignore': 'ign*\n', 'turns/old': 'old\n' }, scratch);
  await pull();
  const other = scratch.path('other');
  run(scratch.folder, 'clone', '--quiet', '--branch=task', root, other);
  rmSync(join(other, 'turns'), { recursive: true });
  commit(other, { turns: 'a file now\n' });
  run(other, 'push', '--quiet');
  write(join(clone, 'turns/ign.env'), 'mine\n');

  const { state, why } = await pull();
  rmSync(join(clone, 'turns/ign.env'));

  assert.equal(state, 'refused');
  assert.match(why ?? '', /: turns\./);
  assert.equal((await pull()).state, 'pulled');
});

function landIgnored(root: string, scratch: Scratch): void {
  const other = scratch.path('forced');
  run(scratch.folder, 'clone', '--quiet', '--branch=task', root, other);
  for (const [name, text] of Object.entries(forced)) write(join(other, name), text);
  run(other, 'add', '--force', ...Object.keys(forced));
  run(other, 'commit', '--quiet', '--message=landed');
  run(other, 'push', '--quiet');
}
