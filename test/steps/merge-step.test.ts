import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { attemptRefs } from '../../src/contract/attempt.ts';
import { testNeeding } from '../driver/machine.ts';
import { gitIn, type MergeHome, newMergeHome } from './merge-home.ts';

const testWalled = testNeeding('bwrap');

const TEN = Array.from({ length: 10 }, (_, index) => `line ${index}\n`);
const text = (...changes: readonly (readonly [number, string])[]): string =>
  changes.reduce((lines, [at, line]) => lines.with(at, `${line}\n`), TEN).join('');

/** Nothing of a merge is left in a worktree: it stands at its commit, clean, without locks. */
function assertAsBefore(home: MergeHome, repo: string): void {
  assert.equal(home.inWorktree(repo, 'rev-parse', 'HEAD'), home.git(repo, 'rev-parse', 'task'));
  assert.equal(home.inWorktree(repo, 'status', '--porcelain'), '');
  const left = execFileSync('find', [join(home.runFolder, repo, '.git'), '-name', '*.lock', '-o', '-name', 'MERGE_*']);
  assert.equal(left.toString(), '');
}

testWalled('upstream is merged into each repo: a merge commit, a step forward, or nothing to do', async (t) => {
  const home = newMergeHome(t, { repos: ['app', 'lib', 'web'], files: { 'a.txt': text() } });
  const ours = home.ours('app', { 'a.txt': text([0, 'ours']) });
  const theirs = home.theirs('app', { 'a.txt': text([9, 'theirs']) });
  const forward = home.theirs('lib', { 'b.txt': 'new\n' });
  home.ours('web', { 'c.txt': 'own\n' });
  await home.setUp(home.request({ step: 'setup' as never, work: { kind: 'setup' } }));

  const { outcome, text: output, id } = await home.merge();

  assert.equal(outcome.state, 'passed', output());
  const heads = Object.fromEntries(outcome.repos.map(({ repo, head }) => [repo, head]));
  assert.equal(heads['web'], null);
  assert.equal(heads['lib'], forward);
  const merged = heads['app'] ?? '';
  assert.equal(home.git('app', 'rev-parse', `${attemptRefs(home.run, id)}/head`), merged);
  assert.equal(home.git('app', 'show', `${merged}:a.txt`), text([0, 'ours'], [9, 'theirs']).trim());
  assert.equal(
    home.git('app', 'log', '-1', '--format=%P|%an|%cn|%s', merged),
    `${ours} ${theirs}|Ada|takt|Merge branch 'main' of app into task`,
  );
  assert.equal(home.inWorktree('app', 'rev-parse', 'HEAD'), merged);
  assert.equal(home.inWorktree('app', 'status', '--porcelain'), '');
  assert.match(
    outcome.result?.summary ?? '',
    /app merged main as .*, lib went forward to main at .*, web held main already\./,
  );
  assert.match(output(), /app: fetching main of app/);
  assert.deepEqual(outcome.confinement?.filesystem, 'bubblewrap');
});

testWalled('a conflict in one repo changes nothing in any, and names files and sides', async (t) => {
  const home = newMergeHome(t, { repos: ['app', 'lib'], files: { 'a.txt': text(), 'b.txt': text(), 'c.txt': text() } });
  home.ours('app', { 'a.txt': text([0, 'ours']), 'b.txt': null }, 'Ours of it');
  home.theirs('app', { 'a.txt': text([0, 'theirs']), 'b.txt': text([3, 'theirs']) }, 'Theirs of it');
  home.ours('lib', { 'a.txt': text([0, 'ours']) });
  home.theirs('lib', { 'a.txt': text([9, 'theirs']) });
  await home.setUp(home.request({ step: 'setup' as never, work: { kind: 'setup' } }));

  const { outcome, text: output } = await home.merge();

  assert.equal(outcome.state, 'failed', output());
  assert.equal(outcome.reason?.class, 'conflict');
  assert.match(outcome.reason?.sentence ?? '', /app: main of upstream conflicts with task in a\.txt, b\.txt\./);
  assert.deepEqual(
    outcome.result?.findings.map(({ repo, file }) => [repo, file]),
    [
      ['app', 'a.txt'],
      ['app', 'b.txt'],
    ],
  );
  const [changed, deleted] = outcome.result?.findings.map(({ message }) => message) ?? [];
  assert.match(
    changed ?? '',
    /^ours changed it \([0-9a-f]{7,} Ours of it\); theirs changed it \([0-9a-f]{7,} Theirs of it\)$/,
  );
  assert.match(deleted ?? '', /^ours deleted it \(.*\); theirs changed it \(.*\)$/);
  assert.deepEqual(
    outcome.repos.map(({ head, leftover }) => [head, leftover]),
    [
      [null, null],
      [null, null],
    ],
  );
  for (const repo of ['app', 'lib']) assertAsBefore(home, repo);
  assert.match(output(), /git -C \S+\/workspaces\/task\/app merge --ff --no-edit FETCH_HEAD/);
  assert.doesNotMatch(output(), /workspaces\/task\/lib/);
  assert.match(output(), /takt run retry task\/1 --from merge_upstream/);
});

testWalled('renames and added files that conflict are told of as what they are', async (t) => {
  const files = { 'a.txt': text(), 'b.txt': text([1, 'b']), 'c.txt': text([2, 'c']), 'old/d.txt': text([3, 'd']) };
  const home = newMergeHome(t, { repos: ['app'], files });
  home.ours('app', {
    'a2.txt': { from: 'a.txt' },
    'b2.txt': { from: 'b.txt' },
    'n.txt': 'ours\n',
    f: 'file\n',
    new: { from: 'old' },
  });
  home.theirs('app', {
    'a3.txt': { from: 'a.txt' },
    'b.txt': null,
    'n.txt': 'theirs\n',
    'f/g': 'folder\n',
    'old/e.txt': 'e\n',
  });
  await home.setUp(home.request({ step: 'setup' as never, work: { kind: 'setup' } }));

  const { outcome, text: output } = await home.merge();

  assert.equal(outcome.reason?.class, 'conflict', output());
  const told = Object.fromEntries(
    outcome.result?.findings.map(({ file, message }) => [file, message.replaceAll(/ \([^)]*\)/g, '')]) ?? [],
  );
  assert.deepEqual(told, {
    'a.txt': 'ours renamed it to a2.txt; theirs renamed it to a3.txt',
    'b2.txt': 'ours renamed b.txt to it; theirs deleted b.txt',
    'n.txt': 'ours added it; theirs added it',
    f: 'ours added it; theirs made a folder of it',
    'new/e.txt':
      'CONFLICT: old/e.txt added in theirs inside a directory that was renamed in ours, suggesting it should perhaps be moved to new/e.txt.',
  });
});

testWalled('a file that made room for a folder is told of as that, on either side', async (t) => {
  const files = {
    df: text(),
    fd: text([1, 'fd']),
    moved: text([2, 'moved']),
    'x.txt': text([3, 'x']),
    gone: text([4, 'gone']),
  };
  const home = newMergeHome(t, { repos: ['app'], files });
  home.ours('app', {
    df: text([0, 'ours']),
    fd: null,
    moved: text([2, 'moved'], [0, 'ours']),
    gone: text([4, 'gone'], [0, 'ours']),
  });
  home.ours('app', { 'fd/inner': 'folder\n' });
  home.theirs('app', { df: null, fd: text([1, 'fd'], [0, 'theirs']), moved: null, gone: null });
  home.theirs('app', { 'df/inner': 'folder\n', 'moved/x.txt': { from: 'x.txt' } });
  await home.setUp(home.request({ step: 'setup' as never, work: { kind: 'setup' } }));

  const { outcome, text: output } = await home.merge();

  assert.equal(outcome.reason?.class, 'conflict', output());
  const told = outcome.result?.findings.map(({ file, message }) => [file, message.replaceAll(/ \([^)]*\)/g, '')]);
  assert.deepEqual(told, [
    ['df', 'ours changed it; theirs made a folder of it'],
    ['fd', 'ours made a folder of it; theirs changed it'],
    ['gone', 'ours changed it; theirs deleted it'],
    ['moved', 'ours changed it; theirs made a folder of it'],
  ]);
});

testWalled('histories without a common commit are a conflict of their own kind', async (t) => {
  const home = newMergeHome(t, { repos: ['app'] });
  const other = join(home.layout.home, 'other');
  mkdirSync(other);
  gitIn(other, ['init', '--quiet', '--initial-branch=main']);
  gitIn(other, ['commit', '--quiet', '--allow-empty', '-m', 'another beginning']);
  gitIn(other, ['push', '--quiet', '--force', home.upstream('app'), 'main']);
  await home.setUp(home.request({ step: 'setup' as never, work: { kind: 'setup' } }));

  const { outcome, text: output } = await home.merge();

  assert.equal(outcome.reason?.class, 'conflict', output());
  assert.match(outcome.reason?.sentence ?? '', /no commit in common/);
  assert.match(output(), /merge --ff --no-edit --allow-unrelated-histories FETCH_HEAD/);
  assertAsBefore(home, 'app');
});

testWalled(
  'an upstream that is gone fails the step before anything is merged, and each that is gone is named',
  async (t) => {
    const home = newMergeHome(t, { repos: ['app', 'lib', 'web'] });
    home.theirs('app', { 'b.txt': 'new\n' });
    rmSync(home.upstream('lib'), { recursive: true });
    gitIn(home.upstream('web'), ['branch', '--move', 'main', 'trunk']);
    await home.setUp(home.request({ step: 'setup' as never, work: { kind: 'setup' } }));

    const { outcome, text: output } = await home.merge();

    assert.equal(outcome.state, 'failed', output());
    assert.equal(outcome.reason?.class, 'upstream');
    assert.match(
      outcome.reason?.sentence ?? '',
      /lib: There is no git repository at .*web: The upstream .* has no branch main\./,
    );
    assert.deepEqual(
      outcome.repos.map(({ head }) => head),
      [null, null, null],
    );
    assertAsBefore(home, 'app');
  },
);

testWalled('what lies uncommitted in a worktree is no part of the merge, and is kept beside it', async (t) => {
  const home = newMergeHome(t, { repos: ['app'], files: { 'a.txt': text(), '.gitignore': 'built\n' } });
  home.theirs('app', { 'a.txt': text([0, 'theirs']), 'new.txt': 'theirs\n' });
  await home.setUp(home.request({ step: 'setup' as never, work: { kind: 'setup' } }));
  const worktree = join(home.runFolder, 'app');
  writeFileSync(join(worktree, 'a.txt'), text([0, 'half done']));
  writeFileSync(join(worktree, 'new.txt'), 'in the way\n');
  writeFileSync(join(worktree, 'built'), 'ignored\n');
  writeFileSync(join(worktree, '.git', 'index.lock'), '');

  const { outcome, text: output } = await home.merge();

  assert.equal(outcome.state, 'passed', output());
  const [app] = outcome.repos;
  assert.equal(app?.head, gitIn(home.upstream('app'), ['rev-parse', 'main']));
  assert.equal(readFileSync(join(worktree, 'new.txt'), 'utf8'), 'theirs\n');
  assert.equal(readFileSync(join(worktree, 'built'), 'utf8'), 'ignored\n');
  const kept = home
    .git('app', 'rev-list', '--parents', '-1', app?.leftover ?? '')
    .split(' ')
    .slice(1);
  assert.ok(
    kept.some((parent) => home.git('app', 'show', `${parent}:new.txt`) === 'in the way'),
    kept.join(),
  );
});

testWalled(
  'settings, drivers and hooks that lie in the worktree or in the home of the work do not take part',
  async (t) => {
    const home = newMergeHome(t, {
      repos: ['app'],
      files: { 'a.txt': text(), '.gitattributes': '*.txt merge=own filter=own\n' },
    });
    home.ours('app', { 'a.txt': text([0, 'ours']) });
    home.theirs('app', { 'a.txt': text([9, 'theirs']) });
    await home.setUp(home.request({ step: 'setup' as never, work: { kind: 'setup' } }));
    const planted = `${home.runFolder}/ran`;
    const config = `[merge "own"]\n\tdriver = touch ${planted}\n[filter "own"]\n\tsmudge = touch ${planted}; cat\n[commit]\n\tgpgSign = true\n[rerere]\n\tenabled = true\n`;
    writeFileSync(join(home.runFolder, 'app', '.git', 'config'), config, { flag: 'a' });
    mkdirSync(join(home.runFolder, 'app', '.git', 'hooks'), { recursive: true });
    for (const hook of ['post-checkout', 'post-merge', 'pre-merge-commit', 'commit-msg'])
      writeFileSync(join(home.runFolder, 'app', '.git', 'hooks', hook), `#!/bin/sh\ntouch ${planted}\n`, {
        mode: 0o755,
      });
    writeFileSync(join(home.agentFolder, '.gitconfig'), config);

    const { outcome, text: output } = await home.merge();

    assert.equal(outcome.state, 'passed', output());
    assert.equal(existsSync(planted), false);
    assert.equal(home.git('app', 'show', `${outcome.repos[0]?.head}:a.txt`), text([0, 'ours'], [9, 'theirs']).trim());
    // The same merge with these settings in force runs what they name.
    writeFileSync(join(home.runFolder, 'app', '.git', 'config'), config, { flag: 'a' });
    const [head = '', ours = '', theirs = ''] = home
      .inWorktree('app', 'rev-list', '--parents', '-1', 'HEAD')
      .split(' ');
    assert.notEqual(head, ours);
    home.inWorktree('app', 'merge-tree', '--write-tree', ours, theirs);
    assert.equal(existsSync(planted), true);
  },
);

test('without walls the merge is made all the same, and the attempt says that it was not confined', async (t) => {
  const home = newMergeHome(t, { repos: ['app'], files: { 'a.txt': text() }, confinement: 'off' });
  home.ours('app', { 'a.txt': text([0, 'ours']) });
  home.theirs('app', { 'a.txt': text([9, 'theirs']) });
  await home.setUp(home.request({ step: 'setup' as never, work: { kind: 'setup' } }));

  const { outcome, text: output } = await home.merge();

  assert.equal(outcome.state, 'passed', output());
  assert.equal(outcome.confinement?.filesystem, 'none');
  assert.equal(home.git('app', 'show', `${outcome.repos[0]?.head}:a.txt`), text([0, 'ours'], [9, 'theirs']).trim());
});
