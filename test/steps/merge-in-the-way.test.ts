import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { testNeeding } from '../driver/machine.ts';
import { type MergeHome, newMergeHome } from './merge-home.ts';

const test = testNeeding('bwrap');

/** A step leaves a repository in the worktree of `lib`, and what upstream brings needs its place. */
async function homeInTheWay(
  t: { after(work: () => void): void },
  { repository, theirs }: { repository: string; theirs: Parameters<MergeHome['theirs']>[1] },
): Promise<MergeHome> {
  const home = newMergeHome(t, { repos: ['app', 'lib'], files: { 'a.txt': 'a\n', 'd/f': 'f\n' } });
  home.theirs('app', { 'a.txt': 'theirs\n' });
  home.theirs('lib', theirs);
  await home.setUp(home.request({ step: 'setup' as never, work: { kind: 'setup' } }));
  const { repos = [] } = home.request();
  const make = `cd lib && git init -q ${repository} && echo n > ${repository}/n && echo own > ${repository}/own`;
  const { outcome, text } = await home.command(make, { repos });
  assert.equal(outcome.state, 'passed', text());
  return home;
}

const ways: [way: string, repository: string, theirs: Parameters<MergeHome['theirs']>[1], file: string][] = [
  ['a file that the repository has too', 'nested', { 'nested/n': 'theirs\n', 'nested/other': 'x\n' }, 'nested/n'],
  ['a file in the place of the repository', 'nested', { nested: 'theirs\n' }, 'nested'],
  ['a file in the place of the folder above', 'd/nested', { 'd/f': null, d: 'theirs\n' }, 'd'],
];

for (const [way, repository, theirs, file] of ways) {
  test(`a repository that no commit holds and that is in the way is named, and a retry goes on: ${way}`, async (t) => {
    const home = await homeInTheWay(t, { repository, theirs });

    const { outcome, text } = await home.merge();
    const aside = join(home.runFolder, '.takt', 'set-aside', 'lib');
    const kept = globSync(join(aside, '*', 'nested', 'own')).map((path) => readFileSync(path, 'utf8'));
    const heads = ['app', 'lib'].map((repo) => home.inWorktree(repo, 'rev-parse', 'HEAD'));
    const again = await home.merge({ number: 2 });

    assert.deepEqual([outcome.state, outcome.reason?.class], ['failed', 'git'], text());
    assert.equal(
      outcome.reason?.sentence,
      `lib: main of upstream brings ${file}, and a repository lies in the worktree at ${repository}, which no commit holds. ` +
        `What is in the way is set aside in ${aside}: commit what you need of it, ` +
        'then `takt run retry task/1 --from merge_upstream`.',
    );
    assert.deepEqual(
      outcome.result?.findings.map((finding) => [finding.repo, finding.file]),
      [['lib', file]],
    );
    assert.deepEqual(kept, ['own\n']);
    assert.deepEqual(
      heads,
      ['app', 'lib'].map((repo) => home.git(repo, 'rev-parse', 'task')),
    );
    assert.deepEqual(
      outcome.repos.map(({ head, leftInFolder }) => [head, leftInFolder]),
      [
        [null, undefined],
        [null, true],
      ],
    );
    assert.equal(again.outcome.state, 'passed', again.text());
    assert.equal(readFileSync(join(home.runFolder, 'lib', file), 'utf8'), 'theirs\n');
  });
}

test('a repository in the worktree that nothing of upstream needs the place of stays where it is', async (t) => {
  const home = await homeInTheWay(t, { repository: 'nested', theirs: { 'nested/other': 'x\n', 'b.txt': 'b\n' } });

  const { outcome, text } = await home.merge();

  assert.equal(outcome.state, 'passed', text());
  assert.equal(readFileSync(join(home.runFolder, 'lib', 'nested', 'n'), 'utf8'), 'n\n');
});
