import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { restoreScript, worktreeScript } from '../../src/git/run-worktree.ts';
import { attemptRepo, mustRun } from './run-folder.ts';
import { commit, newRoot, newScratch, run, tryRun, write } from './scratch.ts';

test('restoring brings back the recorded commit and keeps ignored files, whatever was done', async () => {
  using scratch = newScratch();
  const { root, upstream } = await newRoot(scratch);
  const start = commit(upstream, { '.gitignore': 'node_modules\n' });
  run(root, 'fetch', '--quiet', upstream, '+main:refs/heads/task');
  const runFolder = scratch.path('run');
  const app = join(runFolder, 'app');
  const repo = attemptRepo(root, start);
  const spoil: Record<string, () => void> = {
    'edited files': () => write(join(app, 'src/a.txt'), 'edited'),
    'a commit on a branch': () => {
      run(app, 'checkout', '-q', '-b', 'mine');
      commit(app, { 'src/a.txt': 'mine' });
    },
    'a rebase and a lock': () => {
      mkdirSync(join(app, '.git/rebase-merge'));
      writeFileSync(join(app, '.git/index.lock'), '');
    },
    'a lost git folder': () => rmSync(join(app, '.git'), { recursive: true }),
    'a lost worktree': () => rmSync(app, { recursive: true }),
    'a nested repository': () => {
      mkdirSync(join(app, 'nested'));
      run(join(app, 'nested'), 'init', '--quiet');
    },
    'a filter': () => {
      run(app, 'config', 'filter.evil.smudge', 'echo evil');
      write(join(app, '.git/info/attributes'), '* filter=evil\n');
      rmSync(join(app, 'src/a.txt'));
    },
    'a git folder that is a link': () => {
      renameSync(join(app, '.git'), scratch.path('elsewhere'));
      symlinkSync(scratch.path('elsewhere'), join(app, '.git'));
    },
  };
  for (const [what, act] of Object.entries(spoil)) {
    mustRun(runFolder, worktreeScript([repo]));
    write(join(app, 'node_modules/kept'), 'x');
    write(join(app, 'untracked'), 'x');
    act();

    mustRun(runFolder, restoreScript([repo]));

    assert.equal(run(app, 'rev-parse', 'HEAD'), start, what);
    assert.equal(tryRun(app, 'symbolic-ref', '--quiet', 'HEAD').exitCode, 1, what);
    assert.equal(run(app, 'status', '--porcelain'), '', what);
    assert.equal(readFileSync(join(app, 'src/a.txt'), 'utf8'), 'one\ntwo\nthree\n', what);
    assert.equal(existsSync(join(app, 'node_modules/kept')), what !== 'a lost worktree', what);
    assert.equal(existsSync(join(app, 'nested')), false, what);
  }
});
