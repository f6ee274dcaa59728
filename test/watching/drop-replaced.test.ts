import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fetchRoot } from '../../src/git/root-repo.ts';
import { dropReplaced } from '../../src/service/watching/drop-replaced.ts';
import { commit, limit, run } from '../git/scratch.ts';
import { watchedHome, type WatchedHome } from './watched-home.ts';

const compared = (): Map<string, string> => new Map();
const drop = (home: WatchedHome, watched: string[], known = compared()): Promise<number> =>
  dropReplaced({ rootFolder: home.root('app'), defaultBranch: 'main', watched, compared: known, signal: limit() });
const pinsOf = (home: WatchedHome): string[] =>
  run(home.root('app'), 'for-each-ref', '--format=%(objectname)', 'refs/takt/pushed').split('\n').filter(Boolean);
const fetch = (home: WatchedHome, upstream: string): Promise<unknown> =>
  fetchRoot({ folder: home.root('app'), upstream, defaultBranch: 'main', signal: limit() });

/** Force pushes a commit of its own for each text, one after the other, and waits for the pins of all but the last. */
async function forcePushed(home: WatchedHome, texts: string[]): Promise<{ clone: string; commits: string[] }> {
  const clone = home.clone('app');
  const commits: string[] = [];
  for (const text of texts) {
    run(clone, 'reset', '--quiet', '--hard', 'origin/main');
    commits.push(commit(clone, { [text]: text }, text));
    run(clone, 'push', '--quiet', '--force');
  }
  await home.untilTrue(() => home.seenOf('app').get('task') === commits.at(-1));
  await home.untilTrue(() => readdirSync(home.layout.pushSpool).length === 0);
  return { clone, commits };
}

test('a pin goes once a branch holds its commit again, and one of work that is nowhere else stays', async () => {
  await using home = await watchedHome();
  const { clone, commits } = await forcePushed(home, ['again', 'lost', 'last']);
  const before = await drop(home, ['task']);
  run(clone, 'merge', '--quiet', '--no-edit', commits[0]!);
  run(clone, 'push', '--quiet');
  await home.untilTrue(() => home.seenOf('app').get('task') !== commits.at(-1));

  const dropped = await drop(home, ['task']);

  assert.deepEqual([before, dropped], [0, 1]);
  assert.deepEqual(pinsOf(home), [commits[1]]);
  assert.equal(await drop(home, ['task']), 0);
});

test('what takes the commit off the branch again pins it again', async () => {
  await using home = await watchedHome();
  const { clone, commits } = await forcePushed(home, ['again', 'last']);
  run(clone, 'merge', '--quiet', '--no-edit', commits[0]!);
  run(clone, 'push', '--quiet');
  const merged = run(clone, 'rev-parse', 'HEAD');
  await home.untilTrue(() => home.seenOf('app').get('task') === merged);
  await drop(home, ['task']);
  run(clone, 'push', '--quiet', '--force', 'origin', 'origin/main:task');
  await home.untilTrue(() => pinsOf(home).length > 0);

  await drop(home, ['task']);

  assert.deepEqual(pinsOf(home), [merged]);
});

test('a branch that takt does not watch makes nothing safe', async () => {
  await using home = await watchedHome();
  const { commits } = await forcePushed(home, ['kept', 'last']);
  run(home.root('app'), 'update-ref', 'refs/heads/by-hand', commits[0]!);

  assert.equal(await drop(home, ['task']), 0);
  assert.equal(await drop(home, ['task', 'by-hand']), 1);
});

test('once its workspace is gone, a pin goes when upstream has its work, also by a squash', async () => {
  await using home = await watchedHome();
  const upstream = home.layout.home.concat('/upstreams/app');
  const { clone, commits } = await forcePushed(home, ['merged', 'lost', 'last']);
  run(upstream, 'fetch', '--quiet', clone, commits[0]!);
  run(upstream, 'merge', '--quiet', '--squash', 'FETCH_HEAD');
  run(upstream, 'commit', '--quiet', '-m', 'squashed');
  const known = compared();
  const notFetched = await drop(home, [], known);
  await fetch(home, upstream);

  const workspaceThere = await drop(home, ['task'], known);
  const workspaceGone = await drop(home, [], known);

  assert.deepEqual([notFetched, workspaceThere, workspaceGone], [0, 0, 1]);
  assert.deepEqual(pinsOf(home), [commits[1]]);
});
