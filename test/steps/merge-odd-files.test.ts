import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testNeeding } from '../driver/machine.ts';
import { gitIn, type MergeHome, newMergeHome } from './merge-home.ts';

const test = testNeeding('bwrap');

/** Commits what a shell script does in a clone of a branch: names and entries that `Change` cannot say. */
function commitBy(repository: string, branch: string, script: string): string {
  const work = mkdtempSync(join(tmpdir(), 'takt-commit-'));
  try {
    gitIn(work, ['clone', '--quiet', '--branch', branch, repository, '.']);
    execFileSync('/bin/sh', ['-euc', script], { cwd: work, env: { PATH: process.env['PATH'], LC_ALL: 'C' } });
    gitIn(work, ['commit', '--quiet', '-m', `On ${branch}`]);
    gitIn(work, ['push', '--quiet', 'origin', branch]);
    return gitIn(work, ['rev-parse', 'HEAD']);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const ours = (home: MergeHome, script: string): string => commitBy(home.layout.root('app'), 'task', script);
const theirs = (home: MergeHome, script: string): string => commitBy(home.upstream('app'), 'main', script);
const setUp = (home: MergeHome): Promise<unknown> =>
  home.setUp(home.request({ step: 'setup' as never, work: { kind: 'setup' } }));

/** A file whose name is Latin-1, with a text at its beginning and its end. */
const latin = (first: string, last: string): string =>
  `name=$(printf 'caf\\351.txt'); { echo ${first}; seq 20; echo ${last}; } > "$name"; git add --all`;

test('a name that is not UTF-8 is merged like any other', async (t) => {
  const home = newMergeHome(t, { repos: ['app'] });
  const begun = theirs(home, latin('first', 'last'));
  home.git('app', 'fetch', '--quiet', home.upstream('app'), 'main');
  home.git('app', 'update-ref', 'refs/heads/task', begun);
  ours(home, latin('ours', 'last'));
  theirs(home, latin('first', 'theirs'));
  await setUp(home);

  const { outcome, text } = await home.merge();

  assert.equal(outcome.state, 'passed', text());
  const listed = home.git('app', 'ls-tree', '--name-only', outcome.repos[0]!.head!);
  assert.match(listed, /^"caf\\351\.txt"$/m);
  const [, , blob] = home.git('app', 'ls-tree', outcome.repos[0]!.head!).split('\n').at(-1)!.split(/\s/);
  assert.match(home.git('app', 'cat-file', 'blob', blob!), /^ours\n[^]*\ntheirs$/);
  assert.equal(home.inWorktree('app', 'status', '--porcelain'), '');
});

test('a name that is not UTF-8 is told of in a conflict', async (t) => {
  const home = newMergeHome(t, { repos: ['app'] });
  ours(home, latin('ours', 'last'));
  theirs(home, latin('theirs', 'last'));
  await setUp(home);

  const { outcome, text } = await home.merge();

  assert.equal(outcome.reason?.class, 'conflict', text());
  const [finding, ...more] = outcome.result?.findings ?? [];
  assert.deepEqual([finding?.file, more], ['caf\ufffd.txt', []]);
  assert.match(finding?.message ?? '', /^ours added it.*; theirs added it/);
  assert.equal(home.inWorktree('app', 'status', '--porcelain'), '');
});

const submodule = (commit: string): string =>
  `git update-index --add --cacheinfo 160000,${commit.padEnd(40, commit)},vendor/lib`;

test('a submodule that upstream moved comes along, and its files are nobody’s business', async (t) => {
  const home = newMergeHome(t, { repos: ['app'] });
  const begun = theirs(home, submodule('a'));
  home.git('app', 'fetch', '--quiet', home.upstream('app'), 'main');
  home.git('app', 'update-ref', 'refs/heads/task', begun);
  home.ours('app', { 'a.txt': 'ours\n' });
  theirs(home, submodule('b'));
  await setUp(home);

  const { outcome, text } = await home.merge();

  assert.equal(outcome.state, 'passed', text());
  assert.match(home.git('app', 'ls-tree', outcome.repos[0]!.head!, 'vendor/lib'), /^160000 commit b{40}\t/);
});

test('a submodule that both sides moved is a conflict', async (t) => {
  const home = newMergeHome(t, { repos: ['app'] });
  ours(home, submodule('a'));
  theirs(home, submodule('b'));
  await setUp(home);

  const { outcome, text } = await home.merge();

  assert.equal(outcome.reason?.class, 'conflict', text());
  assert.deepEqual(
    outcome.result?.findings.map(({ file }) => file),
    ['vendor/lib'],
  );
});
