import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openHousehold, PROJECT, type Household } from '../driver/household.ts';
import { until } from '../driver/until.ts';
import { testNeeding } from '../driver/machine.ts';
import { parsed, watched, watcherOf } from '../driver/watcher.ts';

const test = testNeeding('unshare');
const TAKT = join(PROJECT, 'dist', 'takt.js');

async function withRepos(...names: string[]): Promise<Household> {
  const house = await openHousehold();
  for (const name of names) await house.ok('repo', 'add', name, await house.upstream(name, { f: name }));
  await house.ok('service', 'stop');
  return house;
}

const branch = (house: Household, repo: string, name: string): Promise<string> =>
  house.git(house.root(repo), 'branch', name, 'main');

function createMany(house: Household, repo: string, count: number): void {
  const lines = Array.from({ length: count }, (_, index) => `create refs/heads/many-${index} refs/heads/main\n`);
  const commit = spawnSync('git', ['-C', house.root(repo), 'rev-parse', 'main'], { encoding: 'utf8' }).stdout.trim();
  const input = lines.join('').replaceAll('refs/heads/main', commit);
  assert.equal(spawnSync('git', ['-C', house.root(repo), 'update-ref', '--stdin'], { input }).status, 0);
}

test('a repo that goes away while its changes are told is gone, and the others are watched on', async () => {
  await using house = await withRepos('app', 'lib');
  await using watcher = await watched(house, '--json');

  createMany(house, 'app', 200);
  await watcher.untilLines(1);
  await rename(house.root('app'), join(house.folder, 'away'));
  await watcher.untilNote(/^takt: the repo app is gone$/m);
  await branch(house, 'lib', 'topic');
  const seen = await until('the other repo', () =>
    parsed(watcher.lines()).find(({ repo, branch: name }) => repo === 'lib' && name === 'topic'),
  );
  const code = await watcher.interrupt();

  assert.equal(seen.change, 'created');
  assert.ok(parsed(watcher.lines()).some(({ repo, commits }) => repo === 'app' && commits === null));
  assert.equal(code, 130);
  assert.doesNotMatch(watcher.notes(), /INTERNAL|ENOENT/);
});

test('it ends when what it prints has no room, and when it is given up in the midst of a look', async () => {
  await using house = await withRepos('app');
  const toFull = spawn('sh', ['-c', 'exec "$0" "$@" > /dev/full', process.execPath, TAKT, 'watch', '--poll', '0.1'], {
    env: house.environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const full = watcherOf(toFull);
  await full.untilNote(/^watching /m);
  const script = `
    import { startBranchWatch } from '${join(PROJECT, 'src', 'bin', 'watch', 'branch-watch.ts')}';
    import { homeLayout } from '${join(PROJECT, 'src', 'platform', 'home-layout.ts')}';
    const parts = {
      layout: homeLayout(process.env.TAKT_HOME), repos: [], everyMs: 20, usesFileSystem: false,
      onMoves: () => { watch[Symbol.dispose](); console.log('given up'); },
      untilRead: () => undefined, onNote: () => {},
    };
    const watch = await startBranchWatch(parts, new AbortController().signal);
    console.log('begun');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: house.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const inLook = watcherOf(child);
  await inLook.untilLines(1);
  const ends = Promise.all([once(toFull, 'exit'), once(child, 'exit')]);
  const limit = AbortSignal.timeout(30_000);
  limit.addEventListener('abort', () => [toFull, child].forEach((each) => each.kill('SIGKILL')));

  await branch(house, 'app', 'topic');
  const codes = (await ends).map(([code]) => code as number | null);

  assert.deepEqual(codes, [7, 0], full.notes());
  assert.match(full.notes(), /has no room where standard output leads to/);
  assert.deepEqual(inLook.lines(), ['begun', 'given up']);
});

test('a repo that cannot be read is told of once, with the words of git, and blinds nobody for the others', async () => {
  await using house = await withRepos('aaa', 'zzz');
  const packed = join(house.root('aaa'), 'packed-refs');
  await using early = await watched(house, '--poll', '0.1', '--json');
  await rename(packed, `${packed}.aside`);
  await writeFile(packed, 'garbage\n');
  await using late = await watched(house, '--poll', '0.1', '--json');
  await early.untilNote(/the repo aaa cannot be read/);

  await branch(house, 'zzz', 'topic');
  await branch(house, 'zzz', 'topic-2');
  const ofZzz = [await early.untilLines(2), await late.untilLines(2)];
  await rm(packed);
  await rename(`${packed}.aside`, packed);
  for (const watcher of [early, late]) await watcher.untilNote(/^takt: the repo aaa can be read again$/m);
  await branch(house, 'aaa', 'topic');
  const ofAaa = [await early.untilLines(3), await late.untilLines(3)].map((lines) => parsed(lines)[2]);

  for (const lines of ofZzz)
    assert.deepEqual(
      parsed(lines).map(({ repo, branch: name }) => [repo, name]),
      [
        ['zzz', 'topic'],
        ['zzz', 'topic-2'],
      ],
    );
  for (const change of ofAaa) assert.deepEqual([change?.repo, change?.change], ['aaa', 'created']);
  for (const { notes } of [early, late]) {
    assert.equal(notes().split('cannot be read').length, 2, notes());
    assert.match(notes(), /^takt: the repo aaa cannot be read: git for-each-ref failed .*fatal: .*packed-refs/m);
  }
});

test('--once reads only the repos that are asked for, and says by its code that one could not be read', async () => {
  await using house = await withRepos('aaa', 'zzz');
  const packed = join(house.root('aaa'), 'packed-refs');
  await house.ok('watch', '--once');
  await branch(house, 'aaa', 'before');
  await branch(house, 'zzz', 'topic');
  await rename(packed, `${packed}.aside`);
  await writeFile(packed, 'garbage\n');

  const chosen = await house.takt('watch', 'zzz', '--once', '--json');
  await branch(house, 'zzz', 'topic-2');
  const all = await house.takt('watch', '--once', '--json');
  const anew = await house.takt('watch', '--once', '--reset');
  await rename(`${packed}.aside`, packed);
  const mended = await house.takt('watch', '--once');
  await branch(house, 'aaa', 'after');
  const next = await house.takt('watch', '--once', '--json');

  assert.deepEqual([chosen.code, chosen.stderr], [0, '']);
  assert.deepEqual(
    parsed([chosen.stdout.trim(), all.stdout.trim()]).map(({ branch: name }) => name),
    ['topic', 'topic-2'],
  );
  assert.equal(all.code, 7);
  assert.match(all.stderr, /^takt: the repo aaa cannot be read: git for-each-ref failed .*fatal: .*packed-refs/);
  assert.deepEqual([anew.code, mended.code], [7, 0]);
  assert.match(anew.stdout, /^Noted where 3 branches are in 1 repo; /);
  assert.match(mended.stdout, /^Noted where 2 branches are in 1 repo; /);
  assert.deepEqual([next.code, parsed([next.stdout.trim()])[0]?.branch], [0, 'after']);
});

test('what was seen of a repo that cannot be read still counts once it can', async () => {
  await using house = await withRepos('aaa');
  const packed = join(house.root('aaa'), 'packed-refs');
  await house.ok('watch', '--once');
  await branch(house, 'aaa', 'meanwhile');
  await rename(packed, `${packed}.aside`);
  await writeFile(packed, 'garbage\n');

  const damaged = await house.takt('watch', '--once', '--json');
  await rename(`${packed}.aside`, packed);
  const mended = await house.takt('watch', '--once', '--json');

  assert.deepEqual([damaged.code, damaged.stdout], [7, '']);
  assert.deepEqual(
    parsed([mended.stdout.trim()]).map(({ branch: name, change }) => [name, change]),
    [['meanwhile', 'created']],
  );
});

test('a folder of git among the root repos that is no repo by its name is left out, and said once', async () => {
  await using house = await withRepos('app');
  const copy = (name: string): Promise<string> =>
    house.git(house.folder, 'clone', '-q', '--mirror', house.root('app'), join(house.home, 'root', name));
  await house.ok('watch', '--once');
  await copy('app copy');
  await using watcher = await watched(house, '--poll', '0.1', '--json');

  const once = await house.takt('watch', '--once');
  const ofApp = await house.takt('watch', 'app', '--once');
  await copy('app.git');
  await watcher.untilNote(/app\.git/);
  await branch(house, 'app copy', 'aside');
  await branch(house, 'app', 'topic');
  const live = parsed(await watcher.untilLines(1));
  const later = await house.takt('watch', '--once', '--json');

  const left = (name: string): string =>
    `takt: the folder "${name}" in root/ is left out, since that is no name of a repo\n`;
  assert.deepEqual([once.code, once.stderr], [0, left('app copy')]);
  assert.deepEqual([ofApp.code, ofApp.stderr], [0, '']);
  assert.deepEqual([later.code, later.stderr], [0, left('app copy') + left('app.git')]);
  for (const changes of [live, parsed(later.stdout.trim().split('\n'))])
    assert.deepEqual(
      changes.map(({ repo, branch: name }) => [repo, name]),
      [['app', 'topic']],
    );
  assert.equal(watcher.notes(), `${left('app copy')}watching 1 branch of 1 repo\n${left('app.git')}`);
});

test('where a folder lies in the place of what was seen, that is said, and --reset begins anew', async () => {
  await using house = await withRepos('app');
  const path = join(house.home, '.state', 'watch.json');
  await mkdir(join(path, 'something'), { recursive: true });

  const once = await house.takt('watch', '--once');
  const full = await house.takt('watch', '--once', '--reset');
  await rmdir(join(path, 'something'));
  const anew = await house.takt('watch', '--once', '--reset');
  const next = await house.takt('watch', '--once');

  assert.deepEqual([once.code, full.code, anew.code, next.code], [2, 2, 0, 0], once.stderr + full.stderr + anew.stderr);
  assert.match(once.stderr, /watch\.json cannot be read\.\n.*takt watch --once --reset/);
  assert.match(full.stderr, /watch\.json is a folder with something in it\.\n.*Move it away/);
  assert.match(anew.stdout, /^Noted where 1 branch is in 1 repo; /);
  assert.match(next.stdout, /^Nothing has changed since /);
});

test('branches whose names differ only in bytes that are no UTF-8 are two branches', async () => {
  await using house = await withRepos('app');
  const step = (script: string): void =>
    assert.equal(spawnSync('bash', ['-ec', script], { cwd: house.root('app') }).status, 0);
  const told = (lines: readonly string[]): string[] =>
    parsed(lines).map(({ branch: name, change }) => `${name} ${change}`);
  step(`git update-ref $'refs/heads/lat\\xe9' main; git update-ref $'refs/heads/d\\xe9/s' main`);
  await house.ok('watch', '--once');
  await using watcher = await watched(house, '--json');

  step(`git update-ref $'refs/heads/lat\\xe8' main`);
  await watcher.untilLines(1);
  step(`git update-ref -d $'refs/heads/lat\\xe9'`);
  await watcher.untilLines(2);
  step(`git pack-refs --all; git update-ref $'refs/heads/d\\xe9/tür' main`);
  await watcher.untilLines(3);
  step(`git update-ref -d $'refs/heads/lat\\xe8'`);
  const live = told(await watcher.untilLines(4));
  const once = told((await house.ok('watch', '--once', '--json')).trim().split('\n'));

  assert.deepEqual(live, ['lat\udce8 created', 'lat\udce9 deleted', 'd\udce9/tür created', 'lat\udce8 deleted']);
  assert.deepEqual(once, ['lat\udce9 deleted', 'd\udce9/tür created']);
});

const mayUnshare = spawnSync('unshare', ['-U', '-r', 'true']).status === 0;

test('where the machine has no watches left, it looks every two seconds', { skip: !mayUnshare }, async () => {
  await using house = await withRepos('app');
  const words = ['echo 0 > /proc/sys/user/max_inotify_instances && exec "$0" "$@"', process.execPath, TAKT, 'watch'];
  const child = spawn('unshare', ['-U', '-r', 'sh', '-c', ...words, '--json'], {
    env: house.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await using watcher = watcherOf(child);
  await watcher.untilNote(/^watching 1 branch /m);

  await branch(house, 'app', 'topic');
  const [change] = parsed(await watcher.untilLines(1));

  assert.deepEqual([change?.branch, change?.change], ['topic', 'created']);
});

test('a branch in whose place another comes is gone before that one is there', async () => {
  await using house = await withRepos('app');
  await house.ok('watch', '--once');
  await using watcher = await watched(house, '--json');
  const step = (script: string): void =>
    assert.equal(spawnSync('sh', ['-ec', script], { cwd: house.root('app') }).status, 0);
  const [from, to] = ['refs/heads/x', 'refs/heads/x/y'];
  await branch(house, 'app', 'x');
  await watcher.untilLines(1);
  await house.ok('watch', '--once');

  step(`git update-ref -d ${from}; git update-ref ${to} main`);
  await watcher.untilLines(3);
  const first = parsed((await house.ok('watch', '--once', '--json')).trim().split('\n'));
  step(`git update-ref -d ${to}; git update-ref ${from} main`);
  const live = parsed(await watcher.untilLines(5));
  const second = parsed((await house.ok('watch', '--once', '--json')).trim().split('\n'));

  for (const changes of [[...first, ...second], live.slice(1)])
    assert.deepEqual(
      changes.map(({ branch: name, change }) => `${name} ${change}`),
      ['x deleted', 'x/y created', 'x/y deleted', 'x created'],
    );
});
