import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createClone } from '../../src/git/clone.ts';
import { fetchRoot } from '../../src/git/root-repo.ts';
import { cloned, land } from './cloned.ts';
import { commit, limit, makeFifo, newRoot, newScratch, run, tryRun, write, type Scratch } from './scratch.ts';

test('a clone is on the branch, owns its objects, pushes to the root repo, and hides what takt puts in', async () => {
  using scratch = newScratch();
  const { clone, root } = await cloned(scratch);
  write(join(clone, 'CLAUDE.md'), 'guidance');
  write(join(clone, '.env'), 'SECRET=1');

  assert.equal(run(clone, 'status', '--porcelain', '--branch'), '## task...origin/task');
  assert.equal(run(clone, 'remote', '-v').split('\n')[0], `origin\t${root} (fetch)`);
  assert.equal(existsSync(join(clone, '.git/objects/info/alternates')), false);
  const made = commit(clone, { 'x.txt': 'x' });
  run(clone, 'push', '--quiet');
  assert.equal(run(root, 'rev-parse', 'task'), made);
  run(clone, 'checkout', '-q', '-b', 'side');
  run(clone, 'push', '--quiet');
  assert.equal(run(root, 'rev-parse', 'side'), made);
});

test('a clone that cannot be made leaves nothing', async () => {
  using scratch = newScratch();
  const { root, start } = await newRoot(scratch);
  const p = { rootFolder: root, folder: scratch.path('ws', 'app'), commit: start, role: 'edit' as const, exclude: [] };

  await assert.rejects(createClone({ ...p, branch: 'nope', signal: limit() }), { code: 'BRANCH_MISSING' });
  await assert.rejects(createClone({ ...p, branch: 'task', signal: AbortSignal.abort(new Error('enough')) }), /enough/);
  assert.equal(existsSync(p.folder), false);

  mkdirSync(p.folder, { recursive: true });
  await assert.rejects(createClone({ ...p, branch: 'task', signal: limit() }), { code: 'CLONE_BROKEN' });
  assert.ok(existsSync(p.folder));
});

test('a fresh clone is clean and level with everything', async () => {
  using scratch = newScratch();
  const { start, status } = await cloned(scratch);

  assert.deepEqual(await status(), {
    state: 'ok',
    branch: 'task',
    head: start,
    root: start,
    dirty: 0,
    unpushed: 0,
    unpulled: 0,
    ahead: 0,
    behind: 0,
    unreleased: 0,
    behindUpstream: 0,
    isDivergedFromUpstream: false,
  });
});

test('the standing counts what is dirty, unpushed, unpulled, ahead, behind and unreleased', async () => {
  using scratch = newScratch();
  const { clone, root, upstream, status } = await cloned(scratch);
  commit(clone, { 'one.txt': '1' });
  run(clone, 'push', '--quiet');
  land(root, { 'two.txt': '2' }, scratch);
  commit(clone, { 'three.txt': '3' });
  write(join(clone, 'src/a.txt'), 'edited');
  write(join(clone, 'new/file'), 'x');
  write(join(clone, 'CLAUDE.md'), 'hidden');
  rmSync(join(clone, 'README.md'));
  commit(upstream, { 'up.txt': 'x' });
  await fetchRoot({ folder: root, upstream, defaultBranch: 'main', signal: limit() });
  run(upstream, 'checkout', '-q', '-b', 'task');
  commit(upstream, { 'theirs.txt': 'x' });
  await fetchRoot({ folder: root, upstream, defaultBranch: 'main', signal: limit() });

  const { dirty, unpushed, unpulled, ahead, behind, unreleased, behindUpstream, isDivergedFromUpstream } =
    await status();

  assert.deepEqual(
    { dirty, unpushed, unpulled, ahead, behind, unreleased, behindUpstream, isDivergedFromUpstream },
    {
      dirty: 3,
      unpushed: 1,
      unpulled: 1,
      ahead: 2,
      behind: 1,
      unreleased: 2,
      behindUpstream: 2,
      isDivergedFromUpstream: true,
    },
  );
});

test('a clone is seen after pack-refs, gc, a detached HEAD, and with settings for reading files', async () => {
  using scratch = newScratch();
  const { clone, status, start } = await cloned(scratch);
  run(clone, 'pack-refs', '--all');
  run(clone, 'gc', '--quiet');
  assert.deepEqual([(await status()).branch, (await status()).dirty], ['task', 0]);

  run(clone, 'update-index', '--split-index');
  run(clone, 'config', 'core.fileMode', 'false');
  spawnSync('chmod', ['+x', join(clone, 'README.md')]);
  assert.equal((await status()).dirty, 0);

  run(clone, 'checkout', '-q', '--detach');
  const detached = commit(clone, { x: 'x' });
  assert.deepEqual([(await status()).branch, (await status()).head, (await status()).unpushed], [null, detached, 1]);
  assert.notEqual(detached, start);
});

test('a clone that is gone is missing, and one that git does not read is broken with a reason', async () => {
  using scratch = newScratch();
  const { clone, status, start } = await cloned(scratch);
  const spoil: [() => void, RegExp][] = [
    [() => writeFileSync(join(clone, '.git/index'), 'noise'), /index/],
    [() => rmSync(join(clone, '.git/objects'), { recursive: true }), /no .git\/objects/],
    [() => rmSync(join(clone, '.git'), { recursive: true }), /no .git/],
    [() => symlinkSync(scratch.folder, join(clone, '.git')), /link/],
  ];
  for (const [act, why] of spoil) {
    act();
    const standing = await status();
    assert.equal(standing.state, 'broken');
    assert.match(standing.why ?? '', why);
    assert.equal(standing.root, start);
  }
  rmSync(clone, { recursive: true });
  assert.equal((await status()).state, 'missing');
});

/** Everything that makes git start a program in a folder that somebody else wrote. */
function plant(scratch: Scratch, clone: string): string {
  const canary = scratch.path('canary');
  const evil = scratch.path('evil.sh');
  write(evil, `#!/bin/sh\necho "$0 $*" >> ${canary}\ncat 2>/dev/null\nexit 1\n`, 0o755);
  const hooks = [
    'pre-commit',
    'post-checkout',
    'post-merge',
    'post-index-change',
    'reference-transaction',
    'fsmonitor-watchman',
    'pre-auto-gc',
    'post-rewrite',
    'sendemail-validate',
  ];
  for (const hook of hooks) write(join(clone, '.git/hooks', hook), readFileSync(evil, 'utf8'), 0o755);
  write(scratch.path('included'), `[core]\n\tfsmonitor = ${evil}\n`);
  const settings: [string, string][] = [
    ['core.fsmonitor', evil],
    ['core.hooksPath', join(clone, '.git/hooks')],
    ['core.sshCommand', evil],
    ['core.pager', evil],
    ['core.editor', evil],
    ['core.gitProxy', evil],
    ['core.alternateRefsCommand', evil],
    ['core.askPass', evil],
    ['diff.external', evil],
    ['diff.evil.textconv', evil],
    ['diff.evil.command', evil],
    ['filter.evil.clean', evil],
    ['filter.evil.smudge', evil],
    ['filter.evil.process', evil],
    ['merge.evil.driver', evil],
    ['credential.helper', `!${evil}`],
    ['uploadpack.packObjectsHook', evil],
    ['remote.origin.uploadpack', evil],
    ['remote.origin.vcs', 'evil'],
    ['gpg.program', evil],
    ['commit.gpgSign', 'true'],
    ['alias.status', `!${evil}`],
    ['include.path', scratch.path('included')],
    ['core.worktree', '/'],
    ['submodule.recurse', 'true'],
    ['trace2.eventTarget', canary],
  ];
  for (const [key, value] of settings) run(clone, 'config', key, value);
  copyFileSync(join(clone, '.git/config'), join(clone, '.git/config.worktree'));
  run(clone, 'config', 'extensions.worktreeConfig', 'true');
  write(join(clone, '.git/info/attributes'), '* filter=evil diff=evil merge=evil\n');
  write(join(clone, '.gitattributes'), '* filter=evil diff=evil merge=evil\n');
  return canary;
}

test('nothing that an agent plants in a clone runs when takt looks at it or pulls', async () => {
  using scratch = newScratch();
  const { clone, root, status, pull } = await cloned(scratch);
  const landed = land(root, { 'src/a.txt': 'landed\n' }, scratch);
  write(join(clone, '.git/info/exclude'), '.gitattributes\n');
  const canary = plant(scratch, clone);

  const before = await status();
  const pulled = await pull();
  write(join(clone, 'src/a.txt'), 'edited');
  const after = await status();

  assert.equal(existsSync(canary), false, existsSync(canary) ? readFileSync(canary, 'utf8') : '');
  assert.deepEqual(
    [before.state, before.unpulled, pulled.state, pulled.to, after.dirty],
    ['ok', 1, 'pulled', landed, 1],
  );
  // Plain git does run it.
  tryRun(clone, '-c', `core.worktree=${clone}`, 'status');
  assert.ok(existsSync(canary));
});

test('a submodule with a planted configuration is not entered', async () => {
  using scratch = newScratch();
  const { clone, status } = await cloned(scratch);
  const nested = join(clone, 'nested');
  mkdirSync(nested);
  run(nested, 'init', '--quiet');
  commit(nested, { x: 'x' });
  run(clone, 'add', 'nested');
  run(clone, 'commit', '-qm', 'a submodule');
  write(scratch.path('evil.sh'), `#!/bin/sh\ntouch ${scratch.path('canary')}\n`, 0o755);
  run(nested, 'config', 'core.fsmonitor', scratch.path('evil.sh'));

  assert.equal((await status()).state, 'ok');

  assert.equal(existsSync(scratch.path('canary')), false);
  tryRun(clone, 'status');
  assert.equal(existsSync(scratch.path('canary')), true);
});

test('a pipe in the place of a file that git reads does not hang the look', async () => {
  using scratch = newScratch();
  const { clone, status } = await cloned(scratch);
  rmSync(join(clone, '.git/config'));
  for (const name of ['.git/config', '.git/info/attributes', '.git/refs/heads/pipe']) makeFifo(join(clone, name));

  assert.equal((await status()).state, 'ok');
  assert.ok(statSync(join(clone, '.git/config')).isFIFO());
});
