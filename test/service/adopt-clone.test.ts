import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { pictureOf } from '../driver/picture.ts';
import type { TestService } from './open-service.ts';
import { said, withClone } from './with-clone.ts';

test('a clone gives its upstream and its objects, and stays byte for byte as it was', async () => {
  await using adopting = await withClone();
  const { opened, upstream, clone } = adopting;
  const canary = join(opened.folder, 'canary');
  const program = join(opened.folder, 'program');
  await writeFile(program, `#!/bin/sh\n: > ${canary}\nexec "$@"\n`, { mode: 0o755 });
  const own = await adopting.commit('feature');
  await opened.git(clone, 'checkout', '-q', 'main');
  await writeFile(join(clone, 'README.md'), 'not committed\n');
  for (const name of ['post-checkout', 'pre-push', 'reference-transaction', 'post-index-change'])
    await writeFile(join(clone, '.git', 'hooks', name), await readFile(program), { mode: 0o755 });
  for (const key of ['core.fsmonitor', 'uploadpack.packObjectsHook', 'core.sshCommand', 'core.alternateRefsCommand'])
    await opened.git(clone, 'config', key, program);
  await rm(canary, { force: true });
  const before = await pictureOf(clone);

  const added = await adopting.add();

  assert.equal(added.status, 200, added.text);
  assert.deepEqual(await pictureOf(clone), before);
  assert.equal(existsSync(canary), false, 'no program of the clone ran');
  assert.deepEqual([added.body.upstream, added.body.defaultBranch], [upstream, 'main']);
  assert.equal(added.body.head, await opened.git(upstream, 'rev-parse', 'main'));
  assert.match(await readFile(join(opened.home, 'config', 'repos.yaml'), 'utf8'), /upstream: \S+\/app\.git\n/);
  assert.equal(
    await opened.git(adopting.root(), 'for-each-ref', '--format=%(refname)'),
    'refs/heads/main\nrefs/remotes/upstream/main',
  );
  await assert.rejects(opened.git(adopting.root(), 'cat-file', '-e', own), 'work of its owner is not taken over');
  assert.deepEqual(
    added.body.notices.slice(0, 2),
    [
      `Its upstream is ${upstream}, the remote origin of ${clone}; that clone is as it was.`,
      'Upstream lacks commits of these branches of the clone, which were not taken over: feature.',
    ],
    added.text,
  );
  await opened.git(clone, 'status');
  assert.equal(existsSync(canary), true, 'plain git in the clone does run them');
});

test('objects come from the clone: an upstream that lost old ones is enough for a clone that has them', async () => {
  await using adopting = await withClone();
  const { opened, upstream } = adopting;
  const blob = await opened.git(upstream, 'rev-parse', 'main:README.md');
  await loosen(opened, upstream);
  await rm(join(upstream, 'objects', blob.slice(0, 2), blob.slice(2)));

  const fresh = await opened.ask('/api/repos', { method: 'POST', body: { name: 'fresh', upstream } });
  const adopted = await adopting.add();

  assert.equal(fresh.body.fault?.code, 'UPSTREAM_DAMAGED');
  assert.equal(adopted.status, 200, adopted.text);
  await opened.git(adopting.root(), 'fsck', '--connectivity-only');
});

/** Makes each object of a bare repository a file of its own. */
async function loosen(opened: TestService, repository: string): Promise<void> {
  const packs = join(repository, 'objects', 'pack');
  for (const name of (await readdir(packs)).filter((each) => each.endsWith('.pack'))) {
    const aside = join(opened.folder, name);
    await rename(join(packs, name), aside);
    await promisify(execFile)('sh', ['-c', 'git unpack-objects -q < "$0"', aside], { cwd: repository });
  }
  for (const name of await readdir(packs)) {
    await chmod(join(packs, name), 0o600);
    await rm(join(packs, name));
  }
}

test('what upstream has besides counts: the clone’s own picture of it may be old', async () => {
  await using adopting = await withClone();
  const { opened, upstream, clone } = adopting;
  await opened.git(clone, 'push', '-q', 'origin', 'main:old');
  await opened.git(clone, 'fetch', '-q');
  const work = join(opened.folder, 'work', 'app');
  await opened.git(work, 'commit', '-q', '--allow-empty', '-m', 'newer');
  await opened.git(work, 'push', '-q', upstream, 'HEAD:main', ':old');

  const added = await adopting.add();

  assert.equal(added.body.head, await opened.git(work, 'rev-parse', 'HEAD'));
  assert.equal(
    await opened.git(adopting.root(), 'for-each-ref', '--format=%(refname)'),
    'refs/heads/main\nrefs/remotes/upstream/main',
  );
});

for (const branch of ['feature/Login', 'plain', 'main']) {
  test(`the command that is told for a branch of one’s own brings it in: ${branch}`, async () => {
    await using adopting = await withClone();
    const { opened } = adopting;
    const commit = await adopting.commit(branch);
    const added = await adopting.add();
    const beginning = `To go on with ${branch}: `;
    const notice: string = added.body.notices.find((each: string) => each.startsWith(beginning));
    const [push = '', create = ''] = notice.slice(beginning.length).split(' && ');
    const [workspace = '', repo = '', adopt] = create.split(' ').slice(3);

    await promisify(execFile)('sh', ['-c', push], { env: { PATH: process.env['PATH'], HOME: opened.folder } });
    const made = await opened.ask('/api/workspaces', {
      method: 'POST',
      body: { workspace, repos: [repo], adopt: adopt === '--adopt' },
    });

    assert.equal(made.status, 200, `${notice}\n${made.text}`);
    const inWorkspace = join(opened.home, 'workspaces', workspace, repo);
    assert.equal(await opened.git(inWorkspace, 'rev-parse', 'HEAD'), commit, notice);
  });
}

test('where no remote is called origin it has to be named, and a clone without remotes is the upstream', async () => {
  await using adopting = await withClone();
  const { opened, upstream, clone } = adopting;
  const other = await opened.upstream('other');
  await opened.git(clone, 'remote', 'rename', 'origin', 'company');
  const only = await adopting.add({}, 'only');
  await opened.git(clone, 'remote', 'add', 'fork', other);
  await opened.git(clone, 'config', 'remote.token.url', 'https://ada:geheim@git.example.org/app.git');

  const unnamed = await adopting.add({}, 'unnamed');
  const wrong = await adopting.add({ remote: 'compani' }, 'wrong');
  const named = await adopting.add({ remote: 'fork' }, 'named');
  const itself = await adopting.add({ asUpstream: true }, 'itself');
  const both = await adopting.add({ asUpstream: true, remote: 'fork' }, 'both');
  const noClone = await opened.ask('/api/repos', { method: 'POST', body: { name: 'x', upstream, remote: 'fork' } });
  for (const name of ['company', 'fork', 'token']) await opened.git(clone, 'remote', 'remove', name);
  const alone = await adopting.add({}, 'alone');

  assert.equal(only.body.upstream, upstream);
  assert.deepEqual(said(unnamed).slice(0, 2), [
    'INPUT_INVALID',
    `The clone ${clone} has 3 remotes, and none is called origin.`,
  ]);
  assert.match(
    said(unnamed)[2]!,
    /--remote: company \(\S+\), fork \(\S+\), token \(https:\/\/ada:\*\*\*@git\.example\.org\/app\.git\)\. Or --as-upstream/,
  );
  assert.equal(said(wrong)[1], `The clone ${clone} has no remote compani. Did you mean company?`);
  assert.equal(named.body.upstream, other, named.text);
  assert.match(named.body.notices.join('\n'), /The clone has other remotes too: company/);
  assert.deepEqual([itself.body.upstream, alone.body.upstream], [clone, clone]);
  assert.deepEqual([said(both)[0], said(noClone)[0]], ['INPUT_INVALID', 'INPUT_INVALID']);
  assert.doesNotMatch(`${unnamed.text}${named.text}`, /geheim/);
});

test('a shallow or partial clone lends nothing, and all comes from its upstream', async () => {
  await using adopting = await withClone();
  const { opened, upstream } = adopting;
  await opened.git(upstream, 'config', 'uploadpack.allowFilter', 'true');
  await opened.git(join(opened.folder, 'work', 'app'), 'commit', '-q', '--allow-empty', '-m', 'more');
  await opened.git(join(opened.folder, 'work', 'app'), 'push', '-q', upstream, 'HEAD:main');
  const kinds = { shallow: '--depth=1', partial: '--filter=blob:none' };

  for (const [kind, option] of Object.entries(kinds)) {
    const clone = join(opened.folder, kind);
    await opened.git(opened.folder, 'clone', '-q', option, `file://${upstream}`, clone);
    const added = await adopting.add({ upstream: clone }, kind);

    assert.equal(added.body.upstream, `file://${upstream}`, added.text);
    assert.match(added.body.notices.join('\n'), new RegExp(`The clone is ${kind}, so that nothing was taken from it`));
    await opened.git(adopting.root(kind), 'fsck', '--connectivity-only');
    assert.equal(existsSync(join(adopting.root(kind), 'shallow')), false);
  }
});

test('an upstream that is not reached is named with where it came from, and nothing stays', async () => {
  await using adopting = await withClone();
  const { opened, upstream, clone } = adopting;
  await rename(upstream, `${upstream}.away`);

  const gone = await adopting.add();
  await opened.git(clone, 'remote', 'set-url', 'origin', 'ext::sh -c "touch /tmp/x"');
  const program = await adopting.add();
  const itself = await adopting.add({ asUpstream: true });

  assert.equal(said(gone)[0], 'UPSTREAM_MISSING');
  assert.match(said(gone)[2]!, /It is the remote origin of .*my clone; --as-upstream takes that clone itself\.$/);
  assert.match(said(program).join(' '), /INPUT_INVALID The remote origin of .*my clone: ext::.* is neither a URL/);
  assert.equal(itself.body.upstream, clone);
  assert.deepEqual(await readdir(join(opened.home, 'root')), ['app']);
});

test('a remote that takt does not read is not guessed, and a clone that is its own upstream is told of', async () => {
  await using adopting = await withClone();
  const { opened, upstream, clone } = adopting;
  await opened.git(clone, 'remote', 'remove', 'origin');
  const alone = await adopting.add({}, 'alone');
  await writeFile(join(clone, '.git', 'more'), `[remote "origin"]\n\turl = ${upstream}\n`);
  await opened.git(clone, 'config', 'include.path', 'more');

  const included = await adopting.add({}, 'included');
  const meant = await adopting.add({ asUpstream: true }, 'meant');
  await opened.git(clone, 'config', '--unset', 'include.path');
  await opened.git(clone, 'config', 'extensions.worktreeConfig', 'true');
  await opened.git(clone, 'config', '--worktree', 'remote.origin.url', upstream);
  const ofWorkTree = await adopting.add({}, 'work-tree');
  const gitFolder = await adopting.add({ upstream: join(clone, '.git') }, 'git-folder');

  assert.deepEqual(alone.body.notices, [
    `Its upstream is ${clone} itself, which has no remote: what is pushed upstream goes into that repository.`,
  ]);
  assert.deepEqual(said(included), [
    'INPUT_INVALID',
    `The configuration of the clone ${clone} has no remote and includes other files, which takt does not read.`,
    'Name its upstream by the URL that `git remote -v` shows there. Or --as-upstream takes the clone itself.',
  ]);
  assert.deepEqual([meant.body.upstream, meant.body.notices], [clone, []]);
  assert.deepEqual([ofWorkTree.body.upstream, gitFolder.body.upstream], [upstream, upstream]);
});

test('what is in the clone alone is told of: commits without a branch, and stashes', async () => {
  await using adopting = await withClone();
  const { opened, clone } = adopting;
  await opened.git(clone, 'checkout', '-q', '--detach');
  await opened.git(clone, 'commit', '-q', '--allow-empty', '-m', 'apart');
  const commit = await opened.git(clone, 'rev-parse', 'HEAD');
  await writeFile(join(clone, 'README.md'), 'changed');
  await opened.git(clone, 'stash', '-q');

  const added = await adopting.add();

  assert.deepEqual(added.body.notices.slice(1), [
    `In the clone alone there are also the commit ${commit.slice(0, 8)}, checked out without a branch, and its stashes.`,
  ]);
});

test('names by SHA-256 are told as such, of an upstream and of a clone', async () => {
  await using adopting = await withClone();
  const { opened, upstream } = adopting;
  const long = join(opened.folder, 'long');
  const ofLong = join(opened.folder, 'of-long');
  await opened.git(opened.folder, 'init', '-q', '--object-format=sha256', long);
  await opened.git(long, 'commit', '-q', '--allow-empty', '-m', 'first');
  await opened.git(opened.folder, 'clone', '-q', long, ofLong);

  const itself = await adopting.add({ upstream: long });
  const cloned = await adopting.add({ upstream: ofLong });
  await opened.git(ofLong, 'remote', 'set-url', 'origin', upstream);
  const mixed = await adopting.add({ upstream: ofLong });

  for (const refused of [itself, cloned])
    assert.deepEqual(said(refused).slice(0, 2), [
      'UPSTREAM_UNSUPPORTED',
      `The upstream ${long} names its objects by SHA-256.`,
    ]);
  assert.match(said(cloned)[2]!, /named by SHA-1.* It is the remote origin of .*of-long\.$/);
  assert.deepEqual(mixed.body.notices.slice(1), [
    'The clone names its objects by SHA-256, so that nothing was taken from it: all came from upstream.',
  ]);
});

test('folders of takt’s own are not adopted', async () => {
  await using adopting = await withClone();
  const { opened, upstream } = adopting;
  await opened.ask('/api/repos', { method: 'POST', body: { name: 'app', upstream } });
  await opened.ask('/api/workspaces', { method: 'POST', body: { workspace: 'task', repos: ['app'] } });
  await mkdir(join(opened.home, 'runs', 'task-1'), { recursive: true });
  await opened.git(opened.folder, 'clone', '-q', upstream, join(opened.home, 'runs', 'task-1', 'app'));

  for (const folder of [join('workspaces', 'task', 'app'), join('runs', 'task-1', 'app')]) {
    const refused = await adopting.add({ upstream: join(opened.home, folder) }, 'again');
    assert.equal(said(refused)[0], 'INPUT_INVALID', refused.text);
    assert.match(said(refused)[1]!, /is a folder of takt's own\.$/);
  }
});
