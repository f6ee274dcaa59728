import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { testNeeding } from '../driver/machine.ts';
import { type Change, gitIn, type MergeHome, newMergeHome } from './merge-home.ts';

const test = testNeeding('bwrap');
const TEXT = 'one\ntwo\nthree\nfour\n';

/** Makes the clone in which a person works, one landed commit behind, and types what the step printed. */
function typeAsPrinted(home: MergeHome, printed: string): void {
  const lines = printed.split('\n').map((line) => line.trim());
  const commands = lines.slice(lines.findIndex((line) => line.startsWith('To make the merge by hand')) + 1);
  assert.match(commands[3] ?? '', /^# (mend|where files conflict)/);
  for (const command of commands.filter((line) => line.startsWith('git '))) {
    const who = ['AUTHOR', 'COMMITTER'].flatMap((role) => [
      [`GIT_${role}_NAME`, 'Grace'],
      [`GIT_${role}_EMAIL`, 'grace@example.org'],
    ]);
    const env = { PATH: process.env['PATH'], HOME: home.layout.home, ...Object.fromEntries(who) };
    const { status, stderr } = spawnSync('sh', ['-c', command], { cwd: '/', env, encoding: 'utf8' });
    assert.equal(
      status,
      command.includes(' merge ') && !command.includes('unrelated') ? 1 : 0,
      `${command}\n${stderr}`,
    );
  }
}

function makeClone(home: MergeHome): string {
  const clone = home.layout.clone('task', 'app');
  mkdirSync(dirname(clone), { recursive: true });
  gitIn(home.layout.home, [
    'clone',
    '--quiet',
    '--branch',
    'task',
    '-c',
    'push.default=current',
    home.layout.root('app'),
    clone,
  ]);
  return clone;
}

const cases: Record<string, { readonly ours: Change; readonly theirs: Change }> = {
  'changed here and deleted there': { ours: { 'a.txt': `${TEXT}ours\n` }, theirs: { 'a.txt': null } },
  'deleted here and changed there': { ours: { 'a.txt': null }, theirs: { 'a.txt': `${TEXT}theirs\n` } },
  'renamed on both sides': { ours: { 'b.txt': { from: 'a.txt' } }, theirs: { 'c.txt': { from: 'a.txt' } } },
  'added on both sides': { ours: { 'n.txt': 'ours\n' }, theirs: { 'n.txt': 'theirs\n' } },
};

for (const [name, { ours, theirs }] of Object.entries(cases)) {
  test(`the printed commands make the merge of a file that was ${name}`, async (t) => {
    const home = newMergeHome(t, { repos: ['app'], files: { 'a.txt': TEXT } });
    const clone = makeClone(home);
    const before = home.ours('app', ours);
    const merged = home.theirs('app', theirs);
    await home.setUp(home.request({ step: 'setup' as never, work: { kind: 'setup' } }));
    const { outcome, text } = await home.merge();
    assert.equal(outcome.reason?.class, 'conflict', text());

    typeAsPrinted(home, text());
    const again = await home.merge({ number: 2 });

    assert.equal(home.git('app', 'log', '-1', '--format=%P', 'task'), `${before} ${merged}`);
    assert.equal(gitIn(clone, ['status', '--porcelain']), '');
    assert.equal(again.outcome.state, 'passed', again.text());
  });
}

test('the printed commands merge histories that have no commit in common', async (t) => {
  const home = newMergeHome(t, { repos: ['app'], files: { 'a.txt': TEXT } });
  makeClone(home);
  const other = join(home.layout.home, 'other');
  mkdirSync(other);
  gitIn(other, ['init', '--quiet', '--initial-branch=main']);
  gitIn(other, ['commit', '--quiet', '--allow-empty', '-m', 'another beginning']);
  gitIn(other, ['push', '--quiet', '--force', home.upstream('app'), 'main']);
  await home.setUp(home.request({ step: 'setup' as never, work: { kind: 'setup' } }));
  const { outcome, text } = await home.merge();
  assert.equal(outcome.reason?.class, 'conflict', text());

  typeAsPrinted(home, text());

  assert.equal(home.git('app', 'merge-base', '--is-ancestor', gitIn(other, ['rev-parse', 'HEAD']), 'task'), '');
});
