import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDatabase } from '../../src/store/database.ts';
import { seenRefs } from '../../src/store/seen-refs.ts';
import { upstreamHead } from '../../src/store/upstream-heads.ts';
import { type Loose, openService, type Reply, type TestService, writeFiles } from './open-service.ts';

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

/** Reads the store beside the service, which writes it. */
function look<Value>(opened: TestService, read: (database: ReturnType<typeof openDatabase>) => Value): Value {
  const database = openDatabase(join(opened.home, '.state', 'takt.db'));
  try {
    return read(database);
  } finally {
    database.connection.close();
  }
}

test('a workspace is a branch in each repo, a clone of each, and a page about them', async () => {
  await using opened = await withRepos('app', 'lib', 'docs');

  const made = await create(opened, { workspace: 'task', repos: ['app', 'lib'], read: ['docs'] });

  assert.equal(made.status, 200, made.text);
  assert.deepEqual(made.body.repos, [
    { name: 'app', role: 'edit' },
    { name: 'lib', role: 'edit' },
    { name: 'docs', role: 'read' },
  ]);
  assert.deepEqual(
    made.body.clones.map(({ repo, state, branch, dirty }: Loose) => [repo, state, branch, dirty]),
    [
      ['app', 'ok', 'task', 0],
      ['lib', 'ok', 'task', 0],
      ['docs', 'ok', 'main', 0],
    ],
  );
  assert.deepEqual([await branches(opened, 'app'), await branches(opened, 'docs')], [['main', 'task'], ['main']]);
  assert.equal(await opened.git(clone(opened, 'task', 'app'), 'remote', 'get-url', 'origin'), root(opened, 'app'));
  assert.match(
    await readFile(join(opened.home, 'workspaces', 'task', 'CLAUDE.md'), 'utf8'),
    /# Workspace task[\s\S]*`app\/`[\s\S]*`docs\/`/,
  );
  const head = await opened.git(root(opened, 'app'), 'rev-parse', 'task');
  assert.deepEqual(
    look(opened, (database) => [...seenRefs(database, 'app')]),
    [['task', head]],
  );
  assert.deepEqual((await opened.ask('/api/runs')).body.runs, []);
  assert.deepEqual(await readdir(join(opened.home, 'workspaces')), ['task']);
});

test('guidance and copied files are put into the clones, unseen by git and through no link', async () => {
  await using opened = await openService();
  const upstream = await opened.upstream('app', { 'README.md': 'x\n' });
  const work = join(opened.folder, 'work', 'app');
  const outside = join(opened.folder, 'outside');
  await mkdir(outside);
  await opened.git(work, 'checkout', '-q', 'main');
  await (await import('node:fs/promises')).symlink(outside, join(work, 'settings'));
  await opened.git(work, 'add', '-A');
  await opened.git(work, 'commit', '-qm', 'a link that leads out');
  await opened.git(work, 'push', '-q', upstream, 'main');
  await opened.ask('/api/repos', {
    method: 'POST',
    body: { name: 'app', upstream, copy: ['.env', 'settings/local.json', 'certs'] },
  });
  await writeFiles(join(opened.home, 'config', 'files', 'app'), {
    '.env': 'A=1\n',
    'settings/local.json': '{}',
    'certs/a.pem': 'a',
    'certs/b/c.pem': 'c',
  });
  await opened.ask('/api/guidance', { method: 'PUT', body: { repo: 'app', text: 'Use tabs.\n', hash: 'none' } });

  const made = await create(opened, { workspace: 'task', repos: ['app'] });

  assert.equal(made.body.clones?.[0].dirty, 0, made.text);
  const folder = clone(opened, 'task', 'app');
  assert.equal(await readFile(join(folder, '.env'), 'utf8'), 'A=1\n');
  assert.equal(await readFile(join(folder, 'certs', 'b', 'c.pem'), 'utf8'), 'c');
  assert.match(await readFile(join(folder, 'CLAUDE.local.md'), 'utf8'), /Use tabs\./);
  assert.deepEqual([(await lstat(join(folder, 'settings'))).isSymbolicLink(), await readdir(outside)], [true, []]);
});

test('bad input is refused before anything is made', async () => {
  await using opened = await withRepos('app', 'lib');
  const code = async (body: object): Promise<string> => (await create(opened, body)).body.fault?.code;
  await create(opened, { workspace: 'there', repos: ['app'] });
  await mkdir(join(opened.home, 'workspaces', 'folder'));

  assert.equal(await code({ workspace: 'Task', repos: ['app'] }), 'INPUT_INVALID');
  assert.equal(await code({ workspace: '../x', repos: ['app'] }), 'INPUT_INVALID');
  assert.equal(await code({ workspace: 'task', repos: [] }), 'INPUT_INVALID');
  assert.equal(await code({ workspace: 'task', repos: ['app'], read: ['app'] }), 'INPUT_INVALID');
  assert.equal(await code({ workspace: 'main', repos: ['app'] }), 'NAME_RESERVED');
  assert.equal(await code({ workspace: 'there', repos: ['app'] }), 'WORKSPACE_EXISTS');
  assert.equal(await code({ workspace: 'folder', repos: ['app'] }), 'WORKSPACE_EXISTS');
  assert.equal(await code({ workspace: 'task', repos: ['app', 'nobody'] }), 'REPO_NOT_FOUND');
  assert.equal(await code({ workspace: 'task', repos: ['app'], from: 'release' }), 'BRANCH_MISSING');

  assert.deepEqual(await branches(opened, 'app'), ['main', 'there']);
  assert.deepEqual((await readdir(join(opened.home, 'workspaces'))).toSorted(), ['folder', 'there']);
});

test('a clone that fails takes all of the workspace with it', async () => {
  await using opened = await withRepos('app', 'lib');
  await opened.git(root(opened, 'lib'), 'repack', '-adq');
  const packs = join(root(opened, 'lib'), 'objects', 'pack');
  for (const name of await readdir(packs)) await rm(join(packs, name), { force: true });

  const failed = await create(opened, { workspace: 'task', repos: ['app', 'lib'] });

  assert.ok(failed.status >= 400, failed.text);
  assert.deepEqual([await branches(opened, 'app'), await readdir(join(opened.home, 'workspaces'))], [['main'], []]);
  assert.deepEqual((await opened.ask('/api/workspaces')).body.workspaces, []);
  assert.deepEqual(await readdir(join(opened.home, '.state', 'tmp')), []);
});

test('a name that leaves no room beside a branch of upstream is refused before there is work on it', async () => {
  await using opened = await openService();
  const upstream = await opened.upstream('app');
  await opened.addRepo('lib');
  await opened.git(upstream, 'branch', 'feature/old', 'main');
  await opened.ask('/api/repos', { method: 'POST', body: { name: 'app', upstream } });

  const refused = await create(opened, { workspace: 'feature', repos: ['app'] });
  const read = await create(opened, { workspace: 'feature', repos: ['lib'], read: ['app'] });

  assert.equal(refused.body.fault.code, 'BRANCH_EXISTS', refused.text);
  assert.match(refused.body.fault.message, /app has a branch feature\/old/);
  assert.equal(read.status, 200, read.text);
});

test('a branch that upstream has is taken over only when asked, with where upstream stands', async () => {
  await using opened = await openService();
  const upstream = await opened.upstream('app');
  await opened.addRepo('lib');
  const work = join(opened.folder, 'work', 'app');
  await opened.git(work, 'checkout', '-qb', 'feature');
  await opened.git(work, 'commit', '-q', '--allow-empty', '-m', 'theirs');
  await opened.git(work, 'push', '-q', upstream, 'feature');
  const theirs = await opened.git(work, 'rev-parse', 'feature');
  await opened.ask('/api/repos', { method: 'POST', body: { name: 'app', upstream } });

  const refused = await create(opened, { workspace: 'feature', repos: ['app', 'lib'] });
  const adopted = await create(opened, { workspace: 'feature', repos: ['app', 'lib'], adopt: true });

  assert.deepEqual(
    [refused.body.fault.code, refused.body.fault.message],
    ['BRANCH_EXISTS', 'The branch feature exists already in app.'],
  );
  assert.equal(adopted.status, 200, adopted.text);
  assert.equal(await opened.git(clone(opened, 'feature', 'app'), 'rev-parse', 'HEAD'), theirs);
  assert.equal(
    look(opened, (database) => upstreamHead(database, 'app', 'feature')),
    theirs,
  );
  assert.equal(
    look(opened, (database) => upstreamHead(database, 'lib', 'feature')),
    null,
  );
});

test('a workspace begins at the branch named', async () => {
  await using opened = await openService();
  const upstream = await opened.upstream('app');
  const work = join(opened.folder, 'work', 'app');
  await opened.git(work, 'checkout', '-qb', 'release-2');
  await opened.git(work, 'commit', '-q', '--allow-empty', '-m', 'release');
  await opened.git(work, 'push', '-q', upstream, 'release-2');
  await opened.ask('/api/repos', { method: 'POST', body: { name: 'app', upstream } });

  const made = await create(opened, { workspace: 'fix', repos: ['app'], from: 'release-2' });

  assert.equal(made.body.base, 'release-2');
  assert.equal(made.body.clones[0].head, await opened.git(work, 'rev-parse', 'release-2'));
});

test('repos come into a workspace and go out of it, and the page follows unless somebody changed it', async () => {
  await using opened = await withRepos('app', 'lib', 'docs');
  await create(opened, { workspace: 'task', repos: ['app'] });
  const page = join(opened.home, 'workspaces', 'task', 'CLAUDE.md');
  const add = (body: object): Promise<Reply> => opened.ask('/api/workspaces/task/repos', { method: 'POST', body });

  const added = await add({ repos: ['lib'], read: ['docs'] });
  const pageThen = await readFile(page, 'utf8');
  const twice = await add({ repos: ['lib'] });
  const removed = await drop(opened, '/api/workspaces/task/repos/lib');
  await writeFile(page, '# Mine\n');
  await drop(opened, '/api/workspaces/task/repos/docs');
  const last = await drop(opened, '/api/workspaces/task/repos/app');

  assert.deepEqual(
    added.body.repos?.map(({ name }: Loose) => name),
    ['app', 'lib', 'docs'],
    added.text,
  );
  assert.match(pageThen, /`lib\/`/);
  assert.equal(twice.body.fault.code, 'INPUT_INVALID');
  assert.deepEqual(
    removed.body.repos?.map(({ name }: Loose) => name),
    ['app', 'docs'],
    removed.text,
  );
  assert.deepEqual(
    [
      await branches(opened, 'lib'),
      existsSync(clone(opened, 'task', 'lib')),
      existsSync(clone(opened, 'task', 'docs')),
    ],
    [['main'], false, false],
  );
  assert.equal(await readFile(page, 'utf8'), '# Mine\n');
  assert.equal(last.body.fault.code, 'INPUT_INVALID');
});

test('pulling brings a clone forward and says why where it cannot', async () => {
  await using opened = await withRepos('app', 'lib');
  await create(opened, { workspace: 'task', repos: ['app', 'lib'] });
  for (const repo of ['app', 'lib']) {
    const head = await opened.git(root(opened, repo), 'commit-tree', '-p', 'task', '-m', 'landed', 'task^{tree}');
    await opened.git(root(opened, repo), 'update-ref', 'refs/heads/task', head);
  }
  await writeFile(join(clone(opened, 'task', 'lib'), 'README.md'), 'changed\n');

  const pulled = await opened.ask('/api/workspaces/task/pull', { method: 'POST', body: {} });

  assert.deepEqual(
    pulled.body.results.map(({ repo, state }: Loose) => [repo, state]),
    [
      ['app', 'pulled'],
      ['lib', 'refused'],
    ],
  );
  assert.match(pulled.body.results[1].why, /README\.md/);
  assert.equal(
    await opened.git(clone(opened, 'task', 'app'), 'rev-parse', 'HEAD'),
    await opened.git(root(opened, 'app'), 'rev-parse', 'task'),
  );
});

test('of two that make the same at the same moment, one does and the other is told', async () => {
  await using opened = await withRepos('app');
  const upstream = await opened.upstream('lib');
  const body = { name: 'lib', upstream };

  const made = await Promise.all([1, 2].map(() => create(opened, { workspace: 'task', repos: ['app'] })));
  const added = await Promise.all([1, 2].map(() => opened.ask('/api/repos', { method: 'POST', body })));

  const codes = (replies: Reply[]): string[] =>
    replies.map((reply): string => reply.body.fault?.code ?? 'made').toSorted();
  assert.deepEqual(
    [codes(made), codes(added)],
    [
      ['WORKSPACE_EXISTS', 'made'],
      ['REPO_EXISTS', 'made'],
    ],
  );
});
