import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Loose, openService, type Reply, type TestService } from './open-service.ts';
import { until } from '../driver/until.ts';

const clone = (opened: TestService, workspace: string, repo: string): string =>
  join(opened.home, 'workspaces', workspace, repo);
const root = (opened: TestService, repo: string): string => join(opened.home, 'root', repo);
const create = (opened: TestService, body: object): Promise<Reply> =>
  opened.ask('/api/workspaces', { method: 'POST', body });
const drop = (opened: TestService, path: string): Promise<Reply> => opened.ask(path, { method: 'DELETE' });
const branches = async (opened: TestService, repo: string): Promise<string[]> =>
  (await opened.git(root(opened, repo), 'for-each-ref', '--format=%(refname:short)', 'refs/heads')).split('\n');

async function withRepos(...names: string[]): Promise<TestService> {
  const opened = await openService();
  for (const name of names) await opened.addRepo(name);
  return opened;
}

test('a workspace without work of its own is deleted whole, and its name is free again', async () => {
  await using opened = await withRepos('app');
  await create(opened, { workspace: 'task', repos: ['app'] });

  const deleted = await drop(opened, '/api/workspaces/task');
  const again = await create(opened, { workspace: 'task', repos: ['app'] });

  assert.deepEqual(deleted.body, { deleted: 'task', pins: [], openPulls: [] });
  assert.equal(again.status, 200, again.text);
  assert.deepEqual(await readdir(join(opened.home, '.state', 'tmp')), []);
});

test('work that is nowhere else keeps its workspace, and force pins it before it goes', async () => {
  await using opened = await withRepos('app', 'lib');
  await create(opened, { workspace: 'task', repos: ['app', 'lib'] });
  const app = clone(opened, 'task', 'app');
  await opened.git(app, 'commit', '-q', '--allow-empty', '-m', 'not pushed');
  const unpushed = await opened.git(app, 'rev-parse', 'HEAD');
  await writeFile(join(clone(opened, 'task', 'lib'), 'new.txt'), 'not committed\n');

  const refused = await drop(opened, '/api/workspaces/task');
  const forced = await drop(opened, '/api/workspaces/task?force=true');

  assert.equal(refused.body.fault.code, 'WORKSPACE_HAS_WORK');
  assert.match(
    refused.body.fault.detail,
    /^app: The branch task has commits that were not pushed.*\nlib: 1 file is changed or untracked: new\.txt\.$/,
  );
  assert.equal(forced.status, 200, forced.text);
  const pinned = forced.body.pins.map(({ repo, commit }: Loose) => [repo, commit]);
  assert.ok(
    pinned.some(([repo, commit]: string[]) => repo === 'app' && commit === unpushed),
    forced.text,
  );
  assert.equal(pinned.length, 2, 'what is on upstream gets no pin');
  const file = forced.body.pins.find(({ repo, ref }: Loose) => repo === 'lib' && ref.endsWith('/uncommitted'));
  assert.equal(await opened.git(root(opened, 'lib'), 'show', `${file.ref}:new.txt`), 'not committed');
  assert.deepEqual(
    [await branches(opened, 'app'), existsSync(join(opened.home, 'workspaces', 'task'))],
    [['main'], false],
  );
});

test('a clone that git cannot read is moved aside instead of deleted', async () => {
  await using opened = await withRepos('app');
  await create(opened, { workspace: 'task', repos: ['app'] });
  const folder = clone(opened, 'task', 'app');
  await rm(join(folder, '.git'), { recursive: true });
  await writeFile(join(folder, 'precious.txt'), 'mine');

  const refused = await drop(opened, '/api/workspaces/task');
  const forced = await drop(opened, '/api/workspaces/task?force=true');

  assert.equal(refused.body.fault.code, 'WORKSPACE_HAS_WORK');
  assert.equal(forced.status, 200, forced.text);
  const aside = join(opened.home, '.state', 'aside');
  const [kept] = await readdir(aside);
  assert.equal(await readFile(join(aside, kept!, 'precious.txt'), 'utf8'), 'mine');
});

test('at its start the service drops pins of replaced commits that a branch holds again', async () => {
  await using opened = await withRepos('app');
  await create(opened, { workspace: 'task', repos: ['app'] });
  const app = clone(opened, 'task', 'app');
  const pins = (): Promise<string> =>
    opened.git(root(opened, 'app'), 'for-each-ref', '--format=%(objectname)', 'refs/takt/pushed');
  await opened.git(app, 'commit', '-q', '--allow-empty', '-m', 'one');
  const one = await opened.git(app, 'rev-parse', 'HEAD');
  await opened.git(app, 'push', '-q');
  await opened.git(app, 'commit', '-q', '--amend', '--allow-empty', '-m', 'other');
  await opened.git(app, 'push', '-q', '--force');
  await until('the pin', async () => ((await pins()) === one ? true : undefined));
  await opened.git(app, 'merge', '-q', '--no-edit', one);
  await opened.git(app, 'push', '-q');

  await opened.restart();

  await until('no pin', async () => ((await pins()) === '' ? true : undefined));
});
