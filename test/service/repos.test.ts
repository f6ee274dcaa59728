import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Loose, openService, type TestService } from './open-service.ts';
import { until } from '../driver/until.ts';

const post = (body: object): { method: string; body: object } => ({ method: 'POST', body });
const names = (reply: { body: Loose }): string[] => reply.body.repos.map(({ name }: { name: string }) => name);
const reposFile = (opened: TestService): Promise<string> => readFile(join(opened.home, 'config', 'repos.yaml'), 'utf8');

async function pushMore(opened: TestService, name: string, branch = 'main'): Promise<string> {
  const work = join(opened.folder, 'work', name);
  await opened.git(work, 'checkout', '-q', '-B', branch);
  await opened.git(work, 'commit', '-q', '--allow-empty', '-m', 'more');
  await opened.git(work, 'push', '-q', join(opened.folder, 'upstream', `${name}.git`), branch);
  return opened.git(work, 'rev-parse', 'HEAD');
}

test('a repo that is added is mirrored, listed and written into repos.yaml', async () => {
  await using opened = await openService();
  await opened.addRepo('lib');
  const upstream = await opened.addRepo('app', { dependsOn: ['lib'], setup: 'npm ci', copy: ['.env'] });

  const list = await opened.ask('/api/repos');
  const show = await opened.ask('/api/repos/app');

  assert.deepEqual(names(list), ['lib', 'app']);
  assert.deepEqual(
    [show.body.upstream, show.body.defaultBranch, show.body.dependsOn, show.body.setup],
    [upstream, 'main', ['lib'], 'npm ci'],
  );
  assert.equal(show.body.head, await opened.git(upstream, 'rev-parse', 'main'));
  assert.ok(show.body.fetchedAtMs > 0);
  assert.match(await reposFile(opened), /- name: app\n    upstream: \S+\/app\.git\n    depends_on:\n      - lib\n/);
});

test('a repo that cannot be added leaves nothing', async () => {
  await using opened = await openService();
  await opened.addRepo('app');
  const before = await reposFile(opened);
  const add = async (body: object): Promise<string> => (await opened.ask('/api/repos', post(body))).body.fault?.code;
  const good = await opened.upstream('other');

  assert.equal(await add({ name: 'app', upstream: good }), 'REPO_EXISTS');
  assert.equal(await add({ name: 'APP', upstream: good }), 'REPO_EXISTS');
  assert.equal(await add({ name: 'CLAUDE.md', upstream: good }), 'NAME_RESERVED');
  assert.equal(await add({ name: 'b', upstream: join(opened.folder, 'nowhere') }), 'UPSTREAM_MISSING');
  assert.equal(await add({ name: 'b', upstream: 'relative/path' }), 'INPUT_INVALID');
  assert.equal(await add({ name: 'b', upstream: 'ext::sh -c "touch /tmp/x"' }), 'INPUT_INVALID');
  assert.equal(await add({ name: 'b', upstream: '--upload-pack=touch' }), 'INPUT_INVALID');
  assert.equal(await add({ name: 'b', upstream: good, dependsOn: ['nobody'] }), 'REPO_NOT_FOUND');
  assert.equal(await add({ name: 'b', upstream: good, copy: ['../../etc/passwd'] }), 'INPUT_INVALID');
  assert.equal(await add({ name: 'b', upstream: good, defaultBranch: 'nope' }), 'BRANCH_MISSING');

  assert.equal(await reposFile(opened), before);
  assert.deepEqual(await readdir(join(opened.home, 'root')), ['app']);
  assert.deepEqual(names(await opened.ask('/api/repos')), ['app']);
});

test('a secret in an address that fails is nowhere in the fault, the list of jobs and the log', async () => {
  await using opened = await openService();
  const secret = 's3cretInAddress';
  const addresses = [`http://127.0.0.1:1/x.git?private_token=${secret}`, `ada:${secret}@127.0.0.1:x.git`];

  const refused = [];
  for (const upstream of addresses) refused.push(await opened.ask('/api/repos', post({ name: 'sec', upstream })));
  const jobs = await opened.ask('/api/jobs');
  const log = await readFile(join(opened.home, '.state', 'service.log'), 'utf8');

  assert.deepEqual(
    refused.map(({ status }) => status >= 400),
    [true, true],
  );
  assert.match(refused[0]!.text, /x\.git\?private_token=\*\*\* /);
  assert.match(refused[1]!.text, /ada:\*\*\*@127\.0\.0\.1:x\.git/);
  assert.match(jobs.text, /repo add sec ada:\*\*\*@127\.0\.0\.1:x\.git/);
  for (const text of [...refused, jobs].map((reply) => reply.text).concat(log)) assert.ok(!text.includes(secret), text);
});

test('a job that its caller leaves is cancelled and leaves nothing', async () => {
  await using opened = await openService();
  const upstream = await opened.upstream(
    'big',
    Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`f${index}`, `${index}`.repeat(1000)])),
  );
  const leaving = new AbortController();

  const asked = opened.ask('/api/repos', {
    ...post({ name: 'big', upstream }),
    headers: { accept: 'application/x-ndjson' },
    signal: leaving.signal,
  });
  asked.catch(() => undefined);
  await until('the job to run', async () => ((await opened.ask('/api/jobs')).body.jobs.length > 0 ? true : undefined));
  leaving.abort();
  const job = await until('the job to end', async () =>
    (await opened.ask('/api/jobs')).body.jobs.find(({ state }: { state: string }) => state !== 'running'),
  );

  assert.equal(job.state, 'cancelled');
  assert.deepEqual(await readdir(join(opened.home, 'root')), []);
  assert.deepEqual(names(await opened.ask('/api/repos')), []);
});

test('fetching brings what is new, one failing repo leaves the others alone, and the fault is kept until it is mended', async () => {
  await using opened = await openService();
  const app = await opened.addRepo('app');
  await opened.addRepo('lib');
  const newest = await pushMore(opened, 'lib');
  await rename(app, `${app}.away`);

  const fetched = await opened.ask('/api/fetches', post({ all: true }));
  const broken = (await opened.ask('/api/repos/app')).body;
  await rename(`${app}.away`, app);
  const again = await opened.ask('/api/fetches', post({ repos: ['app'] }));

  assert.deepEqual(
    fetched.body.results.map(({ repo, changed, fault }: Loose) => [repo, changed, fault?.code]),
    [
      ['app', 0, 'UPSTREAM_MISSING'],
      ['lib', 1, undefined],
    ],
  );
  assert.equal((await opened.ask('/api/repos/lib')).body.head, newest);
  assert.equal(broken.fetchFault.code, 'UPSTREAM_MISSING');
  assert.equal(again.body.results[0].fault, null);
  assert.equal((await opened.ask('/api/repos/app')).body.fetchFault, null);
});

test('fetching asks for names, and refuses an unknown one before it begins', async () => {
  await using opened = await openService();
  await opened.addRepo('app');

  const none = await opened.ask('/api/fetches', post({}));
  const unknown = await opened.ask('/api/fetches', post({ repos: ['app', 'ap'] }));

  assert.equal(none.body.fault.code, 'INPUT_INVALID');
  assert.deepEqual(
    [unknown.body.fault.code, unknown.body.fault.message],
    ['REPO_NOT_FOUND', 'No repo is called ap. Did you mean app?'],
  );
});

test('a repo written into repos.yaml by hand is listed, and mirrored by a fetch', async () => {
  await using opened = await openService();
  const upstream = await opened.upstream('app');
  await writeFile(join(opened.home, 'config', 'repos.yaml'), `repos:\n  - name: app\n    upstream: ${upstream}\n`);

  const before = (await opened.ask('/api/repos')).body.repos[0];
  const early = await opened.ask('/api/workspaces', post({ workspace: 'task', repos: ['app'] }));
  const fetched = await opened.ask('/api/fetches', post({ all: true }));
  const after = (await opened.ask('/api/repos/app')).body;

  assert.deepEqual([before.name, before.fetchedAtMs], ['app', null]);
  assert.deepEqual(
    [early.body.fault.code, early.body.fault.hint],
    ['REPO_NOT_FOUND', '`takt repo fetch app` mirrors it.'],
  );
  assert.equal(fetched.body.results[0].fault, null);
  assert.equal(after.head, await opened.git(upstream, 'rev-parse', 'main'));
});

test('a wrong repos.yaml is a fault with its place, and mending it is enough', async () => {
  await using opened = await openService();
  await opened.addRepo('app');
  const file = join(opened.home, 'config', 'repos.yaml');
  const right = await readFile(file, 'utf8');

  await writeFile(file, right.replace('    upstream:', '    upsteam:'));
  const wrong = await opened.ask('/api/repos');
  await writeFile(file, right);

  assert.equal(wrong.status, 400);
  assert.match(
    wrong.body.fault.message,
    /^config\/repos\.yaml:\d+:5: the key upsteam is not known\. Did you mean upstream\?$/,
  );
  assert.deepEqual(names(await opened.ask('/api/repos')), ['app']);
});

test('a repo that a workspace uses, or that holds work, stays', async () => {
  await using opened = await openService();
  await opened.addRepo('app');
  await opened.ask('/api/workspaces', post({ workspace: 'task', repos: ['app'] }));
  const root = join(opened.home, 'root', 'app');

  const used = await opened.ask('/api/repos/app', { method: 'DELETE' });
  await opened.ask('/api/workspaces/task', { method: 'DELETE' });
  await opened.git(root, 'branch', 'left-over', await opened.git(root, 'commit-tree', '-m', 'x', 'main^{tree}'));
  const held = await opened.ask('/api/repos/app', { method: 'DELETE' });
  const forced = await opened.ask('/api/repos/app?force=true', { method: 'DELETE' });

  assert.deepEqual([used.body.fault.code, used.body.fault.message], ['REPO_IN_USE', 'The repo app is used by task.']);
  assert.match(held.body.fault.detail, /left-over/);
  assert.deepEqual(forced.body, { removed: 'app' });
  assert.deepEqual([await readdir(join(opened.home, 'root')), names(await opened.ask('/api/repos'))], [[], []]);
  assert.match(await reposFile(opened), /repos: \[\]/);
});

test('what an add that was killed left behind is gone after the next start, or found again', async () => {
  await using opened = await openService();
  const upstream = await opened.addRepo('app');
  await opened.service.stop();
  const roots = join(opened.home, 'root');
  await mkdir(join(roots, '.new-half-made', 'objects'), { recursive: true });
  // Killed after the entry was written, before the store knew.
  await opened.git(opened.folder, 'clone', '-q', '--bare', upstream, join(roots, 'lib'));
  await rm(join(roots, 'lib', 'packed-refs'), { force: true });
  await writeFile(
    join(opened.home, 'config', 'repos.yaml'),
    `repos:\n  - name: app\n    upstream: ${upstream}\n  - name: lib\n    upstream: ${upstream}\n`,
  );

  await opened.restart();
  const fetched = await opened.ask('/api/fetches', post({ repos: ['lib'] }));

  assert.deepEqual((await readdir(roots)).toSorted(), ['app', 'lib']);
  assert.equal(fetched.body.results[0].fault, null, fetched.text);
  assert.deepEqual(names(await opened.ask('/api/repos')), ['app', 'lib']);
});

test('another address or default branch in repos.yaml holds from the next fetch on', async () => {
  await using opened = await openService();
  const upstream = await opened.addRepo('app');
  const other = await pushMore(opened, 'app', 'stable');
  await rename(upstream, `${upstream}.moved`);
  await writeFile(
    join(opened.home, 'config', 'repos.yaml'),
    `repos:\n  - name: app\n    upstream: ${upstream}.moved\n    default_branch: stable\n`,
  );

  const fetched = await opened.ask('/api/fetches', post({ all: true }));
  const { body: app } = await opened.ask('/api/repos/app');
  const reserved = await opened.ask('/api/workspaces', post({ workspace: 'stable', repos: ['app'] }));

  assert.equal(fetched.body.results[0].fault, null, fetched.text);
  assert.deepEqual([app.upstream, app.defaultBranch, app.head], [`${upstream}.moved`, 'stable', other]);
  assert.equal(reserved.body.fault.code, 'NAME_RESERVED');
  assert.equal(await opened.git(join(opened.home, 'root', 'app'), 'symbolic-ref', 'HEAD'), 'refs/heads/stable');
});
