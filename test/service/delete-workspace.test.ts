import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Loose, openService, type Reply, type TestService, writeFiles } from './open-service.ts';
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

  assert.deepEqual(deleted.body, { deleted: 'task', pins: [], aside: [], openPulls: [] });
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

test('what no commit of a root repo can hold keeps its workspace, and force moves it aside whole', async () => {
  await using opened = await withRepos('app');
  await create(opened, { workspace: 'task', repos: ['app'] });
  const folder = join(opened.home, 'workspaces', 'task');
  const app = clone(opened, 'task', 'app');
  await writeFile(join(app, '.git/info/exclude'), 'ignored/\n');
  for (const repository of ['mine', 'app/sub', 'app/ignored/deep']) {
    await opened.git(folder, 'init', '-q', repository);
    await writeFile(join(folder, repository, 'precious.txt'), repository);
    await opened.git(join(folder, repository), 'add', '.');
    await opened.git(join(folder, repository), 'commit', '-q', '-m', repository);
  }
  await writeFiles(folder, { 'NOTES.md': 'notes', 'docs/plan.md': 'plan', 'app/tagged.txt': 'tagged' });
  await mkdir(join(folder, 'empty'));
  await opened.git(app, 'add', 'tagged.txt');
  await opened.git(app, 'commit', '-q', '-m', 'tagged');
  await opened.git(app, 'tag', 'keepme');
  await opened.git(app, 'reset', '-q', '--hard', 'HEAD~');

  const refused = await drop(opened, '/api/workspaces/task');
  const forced = await drop(opened, '/api/workspaces/task?force=true');

  assert.equal(refused.body.fault.code, 'WORKSPACE_HAS_WORK');
  assert.match(
    refused.body.fault.detail,
    /^app: The tag keepme .*\napp: 2 repositories within the clone .*: (sub, ignored\/deep|ignored\/deep, sub)\.\nBeside the clones: NOTES\.md, docs\/plan\.md, mine\/\.$/,
  );
  assert.equal(forced.status, 200, forced.text);
  const moved = new Map<string, string>(forced.body.aside.map(({ from, to }: Loose) => [from, to]));
  assert.deepEqual([...moved.keys()].toSorted(), ['NOTES.md', 'app/ignored/deep', 'app/sub', 'docs', 'mine']);
  for (const repository of ['mine', 'app/sub', 'app/ignored/deep']) {
    const place = moved.get(repository)!;
    assert.ok(place.startsWith(join(opened.home, '.state/aside/task-')), place);
    assert.equal(await opened.git(place, 'show', 'HEAD:precious.txt'), repository);
  }
  assert.equal(await readFile(moved.get('NOTES.md')!, 'utf8'), 'notes');
  assert.equal(await readFile(join(moved.get('docs')!, 'plan.md'), 'utf8'), 'plan');
  const [{ ref }] = forced.body.pins;
  assert.equal(await opened.git(root(opened, 'app'), 'show', `${ref}:tagged.txt`), 'tagged');
  assert.equal(existsSync(folder), false);
});

test('the page that takt wrote on top stops nothing, whatever it is made of now, until somebody edits it', async () => {
  await using opened = await withRepos('app');
  for (const workspace of ['plain', 'edited']) await create(opened, { workspace, repos: ['app'] });
  await opened.ask('/api/workspaces/plain/task', { method: 'PUT', body: { text: 'A task' } });
  const template = join(opened.home, 'templates', 'workspace.md');
  await writeFile(template, `${await readFile(template, 'utf8')}\nAnother line.\n`);
  const page = join(opened.home, 'workspaces', 'edited', 'CLAUDE.md');
  await writeFile(page, `${await readFile(page, 'utf8')}\nMine.\n`);

  const plain = await drop(opened, '/api/workspaces/plain');
  const refused = await drop(opened, '/api/workspaces/edited');
  const forced = await drop(opened, '/api/workspaces/edited?force=true');

  assert.equal(plain.status, 200, plain.text);
  assert.equal(refused.body.fault.detail, 'Beside the clones: CLAUDE.md.');
  assert.match(await readFile(forced.body.aside[0].to, 'utf8'), /Mine/);
});

test('a repo is not taken out of its workspace with what is nowhere else, and force says where that is', async () => {
  await using opened = await withRepos('app', 'lib');
  await create(opened, { workspace: 'task', repos: ['app', 'lib'] });
  const lib = clone(opened, 'task', 'lib');
  await opened.git(lib, 'init', '-q', 'sub');
  await opened.git(join(lib, 'sub'), 'commit', '-q', '--allow-empty', '-m', 'mine');
  await opened.git(lib, 'update-index', '--skip-worktree', 'README.md');
  await writeFile(join(lib, 'README.md'), 'hidden\n');
  // A file of the workspace's stays where it is.
  await writeFile(join(opened.home, 'workspaces', 'task', 'NOTES.md'), 'notes');

  const refused = await drop(opened, '/api/workspaces/task/repos/lib');
  const forced = await drop(opened, '/api/workspaces/task/repos/lib?force=true');

  assert.equal(
    refused.body.fault.detail,
    'lib: 1 file is changed or untracked: README.md.\nlib: 1 repository within the clone may hold what is nowhere else: sub.',
  );
  assert.equal(forced.status, 200, forced.text);
  assert.deepEqual(
    forced.body.repos.map(({ name }: Loose) => name),
    ['app'],
  );
  const [pin, ...morePins] = forced.body.pins;
  const [aside, ...moreAside] = forced.body.aside;
  assert.deepEqual([morePins, moreAside, aside.from], [[], [], 'lib/sub']);
  assert.equal(await opened.git(root(opened, 'lib'), 'show', `${pin.ref}:README.md`), 'hidden');
  assert.equal(await opened.git(aside.to, 'log', '--format=%s'), 'mine');
  assert.ok(existsSync(join(opened.home, 'workspaces', 'task', 'NOTES.md')));
});

test('a clone with a branch whose objects are gone is moved aside instead of deleted', async () => {
  await using opened = await withRepos('app');
  await create(opened, { workspace: 'task', repos: ['app'] });
  const app = clone(opened, 'task', 'app');
  await writeFile(join(app, '.git/refs/heads/broken'), `${'1'.repeat(40)}\n`);
  await writeFile(join(app, 'new.txt'), 'mine');

  const refused = await drop(opened, '/api/workspaces/task');
  const forced = await drop(opened, '/api/workspaces/task?force=true');

  assert.match(refused.body.fault.detail, /The branch broken has commits that were not pushed/);
  assert.equal(forced.status, 200, forced.text);
  const [{ from, to }] = forced.body.aside;
  assert.equal(from, 'app');
  assert.equal(await readFile(join(to, 'new.txt'), 'utf8'), 'mine');
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
