import assert from 'node:assert/strict';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import type { BranchChange } from '../../src/contract/branch-change.ts';
import { openHousehold, type Household } from '../driver/household.ts';
import { until } from '../driver/until.ts';
import { pictureOf } from '../driver/picture.ts';
import { parsed, watched } from '../driver/watcher.ts';

async function withRepo(): Promise<Household> {
  const house = await openHousehold();
  await house.ok('repo', 'add', 'app', await house.upstream('app', { 'file.txt': 'text\n' }));
  await house.ok('workspace', 'create', 'task', 'app');
  return house;
}

async function commitIn(house: Household, clone: string, message: string): Promise<string> {
  await house.git(clone, 'commit', '-q', '--allow-empty', '-m', message);
  return house.git(clone, 'rev-parse', 'HEAD');
}

const shape = ({ repo, branch, change, commits, subject }: BranchChange): unknown[] => [
  repo,
  branch,
  change,
  commits,
  subject,
];

test('each change of a branch is a line: made, moved, forced and deleted, with what is new in it', async () => {
  await using house = await withRepo();
  const clone = house.clone('task', 'app');
  const start = await house.git(clone, 'rev-parse', 'HEAD');
  await using watcher = await watched(house);
  await using json = await watched(house, 'app', '--json');

  await commitIn(house, clone, 'first');
  const second = await commitIn(house, clone, 'auth: second');
  await house.git(clone, 'push', '-q');
  await watcher.untilLines(1);
  await house.git(clone, 'reset', '-q', '--hard', start);
  const other = await commitIn(house, clone, 'auth: instead');
  await house.git(clone, 'push', '-q', '--force');
  await watcher.untilLines(2);
  await house.git(clone, 'push', '-q', 'origin', 'HEAD:side', ':task');
  const lines = await watcher.untilLines(4);
  const changes = parsed(await json.untilLines(4));

  assert.deepEqual(changes.slice(0, 2).map(shape), [
    ['app', 'task', 'moved', 2, 'auth: second'],
    ['app', 'task', 'forced', 1, 'auth: instead'],
  ]);
  // One push of two branches, whose order is nobody's to promise.
  assert.deepEqual(
    changes
      .slice(2)
      .toSorted((one, other) => (one.branch < other.branch ? -1 : 1))
      .map(shape),
    [
      ['app', 'side', 'created', 1, 'auth: instead'],
      ['app', 'task', 'deleted', null, null],
    ],
  );
  assert.deepEqual(
    [changes[0]?.from, changes[0]?.to, changes[1]?.from, changes[1]?.to],
    [start, second, second, other],
  );
  assert.match(
    lines[0]!,
    new RegExp(
      `^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d  app  task  ${start.slice(0, 8)} → ${second.slice(0, 8)}  moved  2 commits: auth: second$`,
    ),
  );
});

test('it works without the service, takes up a repo that comes, and ends by Ctrl-C with 130', async () => {
  await using house = await openHousehold();
  const upstreams = [await house.upstream('app', { a: 'a' }), await house.upstream('lib', { b: 'b' })];
  await using empty = await watched(house, '--json');
  await house.ok('repo', 'add', 'app', upstreams[0]!);
  await empty.untilLines(1);
  await house.ok('workspace', 'create', 'task', 'app');
  await empty.untilLines(2);
  await house.ok('service', 'stop');

  await commitIn(house, house.clone('task', 'app'), 'in the dark');
  await house.git(house.clone('task', 'app'), 'push', '-q');
  const changes = parsed(await empty.untilLines(3));
  const service = await house.takt('service', 'status');
  const code = await empty.interrupt();

  assert.match(
    empty.notes(),
    /No repos yet\. `takt repo add NAME UPSTREAM` mirrors one\.\nwatching 0 branches of 0 repos/,
  );
  assert.deepEqual(changes.map(shape), [
    ['app', 'main', 'created', null, 'start'],
    ['app', 'task', 'created', 0, null],
    ['app', 'task', 'moved', 1, 'in the dark'],
  ]);
  assert.equal(service.code, 69, 'watching starts no service');
  assert.equal(code, 130);
  assert.doesNotMatch(empty.notes(), /Interrupted|takt: (?!the repo app is watched too)/);
});

test('watching leaves the root repos as they are, and leaves the trigger to the service', async () => {
  await using house = await withRepo();
  await house.ok('workspace', 'pipeline-set', 'task', 'run:true');
  await house.ok('service', 'stop');
  const before = await pictureOf(house.root('app'));
  await using watcher = await watched(house);
  const during = await pictureOf(house.root('app'));

  await commitIn(house, house.clone('task', 'app'), 'pushed');
  await house.git(house.clone('task', 'app'), 'push', '-q');
  await watcher.untilLines(1);
  await house.ok('service', 'start');
  await until('the run', async () => {
    const { runs } = await house.json<{ runs: { state: string }[] }>('run', 'list');
    return runs[0]?.state === 'passed' ? runs : undefined;
  });
  const { runs } = await house.json<{ runs: unknown[] }>('run', 'list');

  assert.deepEqual(during, before);
  assert.equal(runs.length, 1);
});

test('a repo at rest costs no process, however often it is looked at', async () => {
  await using house = await withRepo();
  const calls = join(house.folder, 'git-calls');
  const programs = join(house.folder, 'bin');
  await mkdir(programs);
  await writeFile(
    join(programs, 'git'),
    `#!/bin/sh\npwd >> ${calls}\nPATH=${house.environment['PATH']}\nexec git "$@"\n`,
    { mode: 0o755 },
  );
  house.environment['PATH'] = `${programs}:${house.environment['PATH']}`;
  await using watcher = await watched(house, '--poll', '0.1', '--json');
  const callsIn = async (repo: string): Promise<number> =>
    (await readFile(calls, 'utf8')).split('\n').filter((folder) => folder === house.root(repo)).length;
  // Each repo that is found shows that all were looked at since.
  const lookAgain = async (number: number): Promise<void> => {
    await house.git(house.folder, 'clone', '-q', '--bare', house.root('app'), `copy-${number}`);
    await rename(join(house.folder, `copy-${number}`), house.root(`copy-${number}`));
    await watcher.untilLines(number * 2);
  };

  await lookAgain(1);
  const settled = await callsIn('app');
  for (const number of [2, 3, 4]) await lookAgain(number);
  const later = await callsIn('app');
  await commitIn(house, house.clone('task', 'app'), 'pushed');
  await house.git(house.clone('task', 'app'), 'push', '-q');
  await watcher.untilLines(9);

  assert.equal(later, settled);
  assert.ok((await callsIn('app')) > later, 'a change does cost one');
});

test('one workspace and some repos can be chosen, and what is unknown or makes no sense is refused', async () => {
  await using house = await withRepo();
  await house.ok('repo', 'add', 'lib', await house.upstream('lib', { b: 'b' }));
  await house.ok('workspace', 'create', 'other', 'app', 'lib');
  await using watcher = await watched(house, 'lib', '--workspace', 'other', '--json');
  for (const [workspace, repo] of [
    ['task', 'app'],
    ['other', 'app'],
    ['other', 'lib'],
  ] as const) {
    await commitIn(house, house.clone(workspace, repo), `${workspace} in ${repo}`);
    await house.git(house.clone(workspace, repo), 'push', '-q');
  }

  const [change] = parsed(await watcher.untilLines(1));
  const refusals = await Promise.all(
    [['ap'], ['--reset'], ['--once', '--poll', '1'], ['--poll', '0'], ['--workspace', 'Bad Name']].map((words) =>
      house.takt('watch', ...words),
    ),
  );

  assert.deepEqual(shape(change!), ['lib', 'other', 'moved', 1, 'other in lib']);
  assert.deepEqual(
    refusals.map(({ code, stderr }) => [code, stderr.split('\n')[0]]),
    [
      [4, 'takt: No repo is called ap. Did you mean app?'],
      [2, 'takt: --reset forgets what --once has seen; give both.'],
      [2, 'takt: --once looks a single time, so --poll does not go with it.'],
      [2, 'takt: poll is below the least of 0.1.'],
      [2, refusals[4]!.stderr.split('\n')[0]],
    ],
  );
  assert.match(refusals[4]!.stderr, /workspace is "Bad Name", which does not fit/);
});

test('--once notes first, then tells what has changed since, and only of what was asked for', async () => {
  await using house = await withRepo();
  const clone = house.clone('task', 'app');
  const once = async (...words: string[]): Promise<string> => house.ok('watch', '--once', ...words);

  const first = await once();
  const nothing = await once();
  await commitIn(house, clone, 'news');
  await house.git(clone, 'push', '-q', 'origin', 'HEAD', 'HEAD:side');
  const ofSide = parsed((await once('--workspace', 'side', '--json')).split('\n').filter(Boolean));
  const rest = await once();
  const again = await once('--json');
  await house.ok('repo', 'add', 'lib', await house.upstream('lib', { b: 'b' }));
  const ofNewRepo = parsed((await once('--json')).split('\n').filter(Boolean));
  await house.ok('repo', 'remove', 'lib', '--yes');
  const gone = await house.takt('watch', '--once');
  const reset = await once('--reset');
  await writeFile(join(house.home, '.state', 'watch.json'), 'no json');
  const damaged = await house.takt('watch', '--once');

  assert.match(
    first,
    /^Noted where 2 branches are in 1 repo; the next `takt watch --once` tells what has changed\.\n$/,
  );
  assert.match(nothing, /^Nothing has changed since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\n$/);
  assert.deepEqual(ofSide.map(shape), [['app', 'side', 'created', 1, 'news']]);
  assert.match(rest, / {2}app {2}task {2}\S+ → \S+ {2}moved {2}1 commit: news\n$/);
  assert.equal(rest.split('\n').length, 2);
  assert.equal(again, '');
  assert.deepEqual(ofNewRepo.map(shape), [['lib', 'main', 'created', null, 'start']]);
  assert.deepEqual([gone.code, gone.stderr], [0, 'takt: the repo lib is gone\n']);
  assert.match(reset, /^Noted where 3 branches are in 1 repo/);
  assert.deepEqual([damaged.code, /--reset/.test(damaged.stderr)], [2, true]);
});

test('a home without repos has nothing to tell, once or on and on', async () => {
  await using house = await openHousehold();

  const first = await house.ok('watch', '--once');
  const json = await house.takt('watch', '--once', '--json');
  await rm(join(house.home, '.state', 'home.json'));
  const noHome = await house.takt('watch');

  assert.match(first, /^No repos yet\. .*\nNoted where 0 branches are in 0 repos/);
  assert.deepEqual([json.code, json.stdout], [0, '']);
  assert.equal(noHome.code, 4);
});
