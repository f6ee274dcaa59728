import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AttemptRepo } from '../../src/contract/attempt.ts';
import { collectScript } from '../../src/git/collect-script.ts';
import { readRefs } from '../../src/git/refs.ts';
import { worktreeScript } from '../../src/git/run-worktree.ts';
import { ATTEMPT, attemptRepo, collect, mustRun, RUN, shell, started, take } from './run-folder.ts';
import { commit, limit, makeFifo, newRoot, newScratch, operator, run, tryRun, write } from './scratch.ts';

test('a run worktree is detached at its commit, without remotes and refs, and borrows the objects', async () => {
  using scratch = newScratch();
  const { app, start, root } = await started(scratch);

  assert.equal(run(app, 'rev-parse', 'HEAD'), start);
  assert.equal(tryRun(app, 'symbolic-ref', '--quiet', 'HEAD').exitCode, 1);
  assert.equal(run(app, 'for-each-ref'), '');
  assert.equal(run(app, 'remote'), '');
  assert.equal(run(app, 'status', '--porcelain'), '');
  assert.equal(readFileSync(join(app, 'src/a.txt'), 'utf8'), 'one\ntwo\nthree\n');
  assert.equal(run(app, 'count-objects').split(' ')[0], '0');
  assert.equal(run(app, 'log', '--format=%s'), 'first');
  assert.equal(readFileSync(join(app, '.git/objects/info/alternates'), 'utf8'), `${root}/objects\n`);
});

test('weird paths are quoted, and a worktree can be made twice', async () => {
  using scratch = newScratch();
  const odd = { ...scratch, path: (...parts: string[]) => join(scratch.folder, `it's "a" $HOME \\ #folder`, ...parts) };
  const { app, runFolder, repo } = await started(odd);
  writeFileSync(join(app, 'half-made'), 'x');

  mustRun(runFolder, worktreeScript([repo]));

  assert.equal(run(app, 'log', '--format=%s'), 'first');
  assert.equal(existsSync(join(app, 'half-made')), false);
});

test('what takt copies, caches and writes as guidance is hidden from the status', async () => {
  using scratch = newScratch();
  const { root, start } = await newRoot(scratch);
  const runFolder = scratch.path('run');
  const repo = attemptRepo(root, start, { copy: [{ from: '/x', to: '.env' }], cache: ['node_modules', 'we[ird]*'] });
  mustRun(runFolder, worktreeScript([repo], { guidance: ['CLAUDE.md', 'app/.claude/notes.md'] }));
  for (const file of ['.env', 'node_modules/x', 'we[ird]*', '.claude/notes.md', 'weird', 'CLAUDE.md'])
    write(join(runFolder, 'app', file), 'x');

  assert.equal(run(join(runFolder, 'app'), 'status', '--porcelain', '-uall'), '?? CLAUDE.md\n?? weird');
});

test('submodules, pointers of LFS and links are checked out as they are committed', async () => {
  using scratch = newScratch();
  const { root, upstream } = await newRoot(scratch);
  run(upstream, 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},vendor/sub`);
  write(
    join(upstream, '.gitmodules'),
    '[submodule "vendor/sub"]\n\tpath = vendor/sub\n\turl = https://example.invalid/x\n',
  );
  write(join(upstream, '.gitattributes'), '*.bin filter=lfs diff=lfs merge=lfs -text\n');
  write(join(upstream, 'big.bin'), 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n');
  symlinkSync('/etc/passwd', join(upstream, 'link'));
  run(upstream, 'add', '.gitmodules', '.gitattributes', 'big.bin', 'link');
  run(upstream, 'commit', '-qm', 'odd things');
  const odd = run(upstream, 'rev-parse', 'HEAD');
  run(root, 'fetch', '--quiet', upstream, `+${odd}:refs/heads/task`);
  const runFolder = scratch.path('run');

  mustRun(runFolder, worktreeScript([attemptRepo(root, odd)]));

  assert.match(readFileSync(join(runFolder, 'app/big.bin'), 'utf8'), /^version https:\/\/git-lfs/);
  assert.deepEqual(readdirSync(join(runFolder, 'app/vendor/sub')), []);
  assert.deepEqual(await collect(scratch, runFolder, odd, true), [
    { repo: 'app', head: null, leftover: null, bundleFile: null },
  ]);
});

test('commits and leftovers of a passed attempt come out as one head, by the operator, committed by takt', async () => {
  using scratch = newScratch();
  const { app, root, start, runFolder } = await started(scratch);
  commit(app, { 'src/a.txt': 'changed\n' }, 'by the agent');
  write(join(app, 'src/new.txt'), 'untracked\n');
  rmSync(join(app, 'README.md'));

  const [frame] = await collect(scratch, runFolder, start, true);
  await take(root, frame!);

  assert.equal(frame!.leftover, null);
  assert.equal(run(app, 'rev-parse', 'HEAD'), frame!.head);
  assert.equal(run(app, 'status', '--porcelain'), '');
  assert.deepEqual(
    [...(await readRefs(root, 'refs/takt/', { signal: limit() }))],
    [[`runs/${RUN}/${ATTEMPT}/head`, frame!.head]],
  );
  assert.equal(
    run(root, 'log', '--format=%s|%an|%cn|%ce', `${start}..${frame!.head}`),
    `left over|${operator.name}|takt|takt@localhost\nby the agent|${operator.name}|${operator.name}|op@example.org`,
  );
  assert.equal(run(root, 'diff', '--name-status', start, frame!.head!), 'D\tREADME.md\nM\tsrc/a.txt\nA\tsrc/new.txt');
  run(root, 'fsck', '--connectivity-only');
});

test('leftovers of a failed attempt are pinned beside the commits, and the worktree stays as it is', async () => {
  using scratch = newScratch();
  const { app, root, start, runFolder } = await started(scratch);
  const own = commit(app, { 'src/a.txt': 'changed\n' }, 'by the agent');
  write(join(app, 'src/a.txt'), 'half done\n');
  run(app, 'add', '--all');
  write(join(app, 'untracked.txt'), 'x\n');
  const before = run(app, 'status', '--porcelain');

  const [frame] = await collect(scratch, runFolder, start, false);
  await take(root, frame!);
  await take(root, frame!);

  assert.equal(frame!.head, own);
  assert.equal(run(app, 'rev-parse', 'HEAD'), own);
  assert.equal(run(app, 'status', '--porcelain'), before);
  assert.equal(run(app, 'for-each-ref'), '');
  assert.equal(run(root, 'rev-parse', `${frame!.leftover}^`), own);
  assert.equal(run(root, 'show', `${frame!.leftover}:src/a.txt`), 'half done');
  assert.equal(run(root, 'rev-parse', `refs/takt/runs/${RUN}/${ATTEMPT}/leftover`), frame!.leftover);
});

test('a repository within the worktree, unreadable files and a lost index do not stop the collecting', async () => {
  using scratch = newScratch();
  const { app, root, start, runFolder } = await started(scratch);
  mkdirSync(join(app, 'nested'));
  run(join(app, 'nested'), 'init', '--quiet');
  write(join(app, "odd 'name'\n.txt"), 'x\n');
  symlinkSync('/nowhere', join(app, 'dangling'));
  makeFifo(join(app, 'pipe'));
  rmSync(join(app, '.git/index'));

  const [frame] = await collect(scratch, runFolder, start, true);
  await take(root, frame!);

  assert.equal(
    run(root, '-c', 'core.quotePath=true', 'diff', '--name-only', start, frame!.head!),
    `dangling\n"odd 'name'\\n.txt"`,
  );
});

test('an agent on a branch of its own, with hooks and monitors planted, is collected all the same', async () => {
  using scratch = newScratch();
  const { app, root, start, runFolder } = await started(scratch);
  run(app, 'checkout', '-q', '-b', 'mine');
  for (const hook of ['reference-transaction', 'pre-commit', 'post-checkout', 'post-index-change']) {
    write(join(app, '.git/hooks', hook), `#!/bin/sh\ntouch ${scratch.path('canary')}\nexit 1\n`, 0o755);
  }
  run(app, 'config', 'core.fsmonitor', `touch ${scratch.path('canary')}; false`);
  write(join(app, 'x.txt'), 'x\n');

  const [frame] = await collect(scratch, runFolder, start, true);
  await take(root, frame!);

  assert.equal(run(root, 'rev-parse', `${frame!.head}^`), start);
  assert.equal(run(app, 'rev-parse', 'mine'), start);
  assert.equal(existsSync(scratch.path('canary')), false);
  // Plain git does run them, so the canary can sing.
  tryRun(app, 'status');
  assert.equal(existsSync(scratch.path('canary')), true);
});

test('a head that was moved back is pinned without a bundle', async () => {
  using scratch = newScratch();
  const { root, upstream } = await newRoot(scratch);
  const second = commit(upstream, { 'b.txt': 'b' }, 'second');
  run(root, 'fetch', '--quiet', upstream, '+main:refs/heads/task');
  const first = run(root, 'rev-parse', 'task^');
  const runFolder = scratch.path('run');
  mustRun(runFolder, worktreeScript([attemptRepo(root, second)]));
  run(join(runFolder, 'app'), 'reset', '--quiet', '--hard', first);

  const [frame] = await collect(scratch, runFolder, second, true);
  await take(root, frame!);

  assert.deepEqual({ ...frame }, { repo: 'app', head: first, leftover: null, bundleFile: null });
  assert.equal(run(root, 'rev-parse', `refs/takt/runs/${RUN}/${ATTEMPT}/head`), first);
});

test('a lost git folder makes the collecting fail, and the other repos still come out', async () => {
  using scratch = newScratch();
  const { root, start } = await newRoot(scratch);
  const runFolder = scratch.path('run');
  const lib = { ...attemptRepo(root, start), name: AttemptRepo.shape.name.parse('lib') };
  mustRun(runFolder, worktreeScript([attemptRepo(root, start), lib]));
  commit(join(runFolder, 'lib'), { x: 'x' });
  rmSync(join(runFolder, 'app/.git'), { recursive: true });

  const repos = ['app', 'lib'].map((name) => ({ name, commit: start }));
  const { status, stdout } = shell(
    runFolder,
    collectScript(repos, { commitLeftovers: true, message: 'm', author: operator }),
  );

  assert.equal(status, 1);
  assert.match(stdout.toString('latin1'), /^takt-out lib [0-9a-f]{40} - \d+\n/);
});
