import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Fault } from '../../src/contract/faults.ts';
import { readClone } from '../../src/git/normal-clone.ts';
import { pushPlaceOf } from '../../src/git/push-place.ts';
import { isFault, limit, makeFifo, newScratch, newUpstream, run, write, type Scratch } from './scratch.ts';

type Read = Awaited<ReturnType<typeof readClone>>;
const read = (scratch: Scratch, ...path: string[]): Promise<Read> =>
  readClone(scratch.folder, scratch.path(...path), { signal: limit() });
const remotesOf = (clone: Read): Record<string, string> => Object.fromEntries(clone?.remotes ?? []);

function newClone(scratch: Scratch, name = 'clone'): string {
  const upstream = newUpstream(scratch.path(`${name}-upstream`));
  run(scratch.folder, 'clone', '--quiet', upstream, name);
  return upstream;
}

test('a clone is read with the addresses of its remotes; what has no work tree is none', async () => {
  using scratch = newScratch();
  const upstream = newClone(scratch);
  run(scratch.folder, 'clone', '--quiet', '--bare', upstream, 'bare.git');
  mkdirSync(scratch.path('plain'));
  makeFifo(scratch.path('plain', '.git'));

  const clone = await read(scratch, 'clone');

  assert.deepEqual([clone?.folder, clone?.gitFolder], [scratch.path('clone'), scratch.path('clone', '.git')]);
  assert.deepEqual([remotesOf(clone), clone?.lacks], [{ origin: upstream }, null]);
  assert.equal(await read(scratch, 'bare.git'), null);
  assert.equal(await read(scratch, 'plain'), null);
  assert.equal(await read(scratch, 'nowhere'), null);
});

test('a linked work tree, a submodule and a git folder elsewhere lead to where their remotes are', async () => {
  using scratch = newScratch();
  const upstream = newClone(scratch);
  run(scratch.path('clone'), 'worktree', 'add', '--quiet', '--detach', scratch.path('linked'));
  run(scratch.path('clone'), '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', upstream, 'inner');
  run(scratch.folder, 'clone', '--quiet', `--separate-git-dir=${scratch.path('away')}`, upstream, 'separate');
  run(scratch.folder, 'clone', '--quiet', upstream, 'moved');
  renameSync(scratch.path('moved', '.git'), scratch.path('real'));
  symlinkSync(scratch.path('real'), scratch.path('moved', '.git'));

  for (const [path, gitFolder] of [
    ['linked', join('clone', '.git')],
    [join('clone', 'inner'), join('clone', '.git', 'modules', 'inner')],
    ['separate', 'away'],
    ['moved', join('moved', '.git')],
  ] as const) {
    const clone = await read(scratch, path);
    assert.deepEqual([clone?.gitFolder, remotesOf(clone)], [scratch.path(gitFolder), { origin: upstream }], path);
  }
});

test('a .git file that leads nowhere is named', async () => {
  using scratch = newScratch();
  newClone(scratch);
  run(scratch.path('clone'), 'worktree', 'add', '--quiet', '--detach', scratch.path('linked'));
  renameSync(scratch.path('clone'), scratch.path('away'));

  await assert.rejects(read(scratch, 'linked'), isFault('UPSTREAM_MISSING'));
});

test('addresses are those that plain git uses there: relative ones from its top, insteadOf of its own applied', async () => {
  using scratch = newScratch();
  const upstream = newClone(scratch);
  const clone = scratch.path('clone');
  run(clone, 'remote', 'set-url', 'origin', '../clone-upstream');
  run(clone, 'remote', 'add', 'ssh', 'git@git.example.org:acme/app.git');
  run(clone, 'remote', 'add', 'two.dots', 'https://git.example.org/acme/app.git');
  run(clone, 'config', 'remote.two.dots.pushurl', 'https://push.example.org/app.git');
  run(clone, 'remote', 'add', 'short', 'work:app.git');
  run(clone, 'config', 'url.https://short.example.org/.insteadOf', 'work:');
  run(clone, 'config', 'url.https://wrong.example.org/.insteadOf', 'wor');
  run(clone, 'worktree', 'add', '--quiet', '--detach', scratch.path('deep', 'down', 'linked'));

  const remotes = remotesOf(await read(scratch, 'clone'));

  assert.deepEqual(remotes, {
    origin: upstream,
    ssh: 'git@git.example.org:acme/app.git',
    'two.dots': 'https://git.example.org/acme/app.git',
    short: 'https://short.example.org/app.git',
  });
  assert.equal(run(clone, 'remote', 'get-url', 'short'), remotes['short']);
  assert.deepEqual(remotesOf(await read(scratch, 'deep', 'down', 'linked')), remotes);
});

test('what is pushed to is what plain git pushes to there', async () => {
  using scratch = newScratch();
  newClone(scratch);
  const clone = scratch.path('clone');
  const sets = (key: string, ...values: string[]): void => {
    for (const value of values) run(clone, 'config', '--add', key, value);
  };
  sets('url.https://short.example.org/.insteadOf', 'work:');
  sets('url.ssh://git@push.example.org/.pushInsteadOf', 'https://read.example.org/', 'never:');
  sets('remote.fork.url', 'https://read.example.org/app.git');
  sets('remote.fork.pushurl', 'work:fork.git', '../fork.git', 'https://read.example.org/as-it-is.git');
  sets('remote.rewritten.url', 'https://read.example.org/app.git', 'https://other.example.org/app.git');
  sets('remote.both.url', 'work:app.git', 'https://other.example.org/app.git');

  const asRead = await read(scratch, 'clone');

  const pushes = Object.fromEntries(
    [...asRead!.pushAddresses].map(([name, { addresses, by }]) => [name, [by, addresses]]),
  );
  assert.deepEqual(pushes, {
    origin: ['url', [scratch.path('clone-upstream')]],
    fork: [
      'pushurl',
      ['https://short.example.org/fork.git', scratch.path('fork.git'), 'https://read.example.org/as-it-is.git'],
    ],
    rewritten: ['pushInsteadOf', ['ssh://git@push.example.org/app.git']],
    both: ['url', ['https://short.example.org/app.git', 'https://other.example.org/app.git']],
  });
  for (const [name, { addresses }] of asRead!.pushAddresses) {
    const plain = run(clone, 'remote', 'get-url', '--push', '--all', name).split('\n');
    assert.deepEqual(
      addresses,
      plain.map((address) => (address.startsWith('..') ? scratch.path('fork.git') : address)),
      name,
    );
  }
});

test('new branches go to where plain git pushes them, whatever is set for single ones', async () => {
  using scratch = newScratch();
  newClone(scratch);
  const clone = scratch.path('clone');
  run(clone, 'remote', 'add', 'fork', '/fork.git');
  run(clone, 'remote', 'add', 'mine', '/mine.git');
  run(clone, 'checkout', '--quiet', '-b', 'feature');
  const placeOf = async (remote: string): Promise<string[]> => {
    const place = pushPlaceOf((await read(scratch, 'clone'))!, remote);
    return [place.setting, ...place.addresses];
  };
  const origin = ['remote.origin.url', scratch.path('clone-upstream')];

  const itself = [await placeOf('origin'), await placeOf('fork')];
  run(clone, 'config', 'branch.main.pushRemote', 'mine');
  const ofMain = await placeOf('origin');
  run(clone, 'config', 'remote.pushDefault', 'fork');
  const all = [await placeOf('origin'), await placeOf('fork')];
  run(clone, 'config', 'remote.pushDefault', '../mine.git');
  const address = await placeOf('origin');
  run(clone, 'config', 'remote.pushDefault', 'gone');
  const gone = await placeOf('origin');
  run(clone, 'config', '--unset', 'remote.pushDefault');
  run(clone, 'remote', 'rename', 'origin', 'company');
  const renamed = [await placeOf('company'), await placeOf('fork')];

  // A remote that is the upstream although there is an `origin` is one that plain git only fetches from.
  assert.deepEqual(itself, [origin, origin]);
  assert.deepEqual(ofMain, origin);
  assert.deepEqual(all, [
    ['remote.pushDefault', '/fork.git'],
    ['remote.fork.url', '/fork.git'],
  ]);
  assert.deepEqual(address, ['remote.pushDefault', scratch.path('mine.git')]);
  assert.deepEqual(gone, ['remote.pushDefault']);
  assert.deepEqual(renamed, [
    ['remote.company.url', scratch.path('clone-upstream')],
    ['remote.fork.url', '/fork.git'],
  ]);
});

test('a shallow and a partial clone are told as such, and what a configuration includes is not read', async () => {
  using scratch = newScratch();
  const upstream = newClone(scratch);
  run(upstream, 'commit', '--quiet', '--allow-empty', '-m', 'second');
  run(upstream, 'config', 'uploadpack.allowFilter', 'true');
  run(scratch.folder, 'clone', '--quiet', '--depth=1', `file://${upstream}`, 'shallow');
  run(scratch.folder, 'clone', '--quiet', '--filter=blob:none', '--no-checkout', `file://${upstream}`, 'partial');
  write(
    scratch.path('included'),
    '[remote "origin"]\n\turl = https://wrong.example.org/x.git\n[remote "more"]\n\turl = /x\n',
  );
  run(scratch.path('clone'), 'config', 'include.path', scratch.path('included'));

  assert.equal((await read(scratch, 'shallow'))?.lacks, 'shallow');
  assert.equal((await read(scratch, 'partial'))?.lacks, 'partial');
  assert.deepEqual(remotesOf(await read(scratch, 'clone')), { origin: upstream });
});

test('the path of a .git folder stands for its clone', async () => {
  using scratch = newScratch();
  const upstream = newClone(scratch);

  const clone = await read(scratch, 'clone', '.git');

  assert.deepEqual([clone?.folder, clone?.gitFolder], [scratch.path('clone'), scratch.path('clone', '.git')]);
  assert.deepEqual(remotesOf(clone), { origin: upstream });
});

test('a configuration of the work tree is read where the clone says that it has one', async () => {
  using scratch = newScratch();
  const upstream = newClone(scratch);
  const clone = scratch.path('clone');
  run(clone, 'remote', 'remove', 'origin');
  write(join(clone, '.git', 'config.worktree'), '[remote "stale"]\n\turl = /stale\n');
  const without = remotesOf(await read(scratch, 'clone'));
  run(clone, 'config', 'extensions.worktreeConfig', 'true');
  run(clone, 'worktree', 'add', '--quiet', '--detach', scratch.path('linked'));
  run(clone, 'config', '--worktree', '--rename-section', 'remote.stale', 'remote.origin');
  run(clone, 'config', '--worktree', 'remote.origin.url', upstream);
  run(scratch.path('linked'), 'config', '--worktree', 'remote.other.url', '/other');

  assert.deepEqual(without, {});
  assert.deepEqual(remotesOf(await read(scratch, 'clone')), { origin: upstream });
  // git gave it a copy of what the main one had then.
  assert.deepEqual(remotesOf(await read(scratch, 'linked')), { stale: '/stale', other: '/other' });
});

test('no pipe is waited for, wherever it lies, and a broken configuration is named', async () => {
  using scratch = newScratch();
  const [inDisguise, broken] = ['commondir', 'config'];
  for (const name of [inDisguise, broken, 'words', 'HEAD', 'shallow']) newClone(scratch, name);
  for (const name of [inDisguise, broken, 'HEAD', 'shallow']) {
    rmSync(scratch.path(name, '.git', name), { force: true });
    makeFifo(scratch.path(name, '.git', name));
  }
  write(scratch.path('words', '.git', 'config'), '[[[\n');
  const fails = async (name: string, pattern: RegExp): Promise<void> =>
    assert.rejects(read(scratch, name), (error: unknown) => {
      assert.ok(error instanceof Fault);
      assert.equal(error.code, 'UPSTREAM_DAMAGED');
      assert.match(error.message, pattern);
      return true;
    });

  await fails(
    'commondir',
    /commondir\/\.git\/commondir is no file, so that git cannot read the clone \S+\/commondir\./,
  );
  await fails('config', /The configuration \S+\/config\/\.git\/config cannot be read/);
  await fails('words', /The configuration \S+\/words\/\.git\/config cannot be read/);
  assert.equal((await read(scratch, 'HEAD'))?.detachedHead, null);
  assert.equal((await read(scratch, 'shallow'))?.lacks, null);
});

test('what is checked out without a branch, the names by SHA-256 and the includes are seen', async () => {
  using scratch = newScratch();
  newClone(scratch);
  const plain = await read(scratch, 'clone');
  run(scratch.path('clone'), 'worktree', 'add', '--quiet', '--detach', scratch.path('linked'));
  run(scratch.path('clone'), 'config', 'include.path', 'more');
  run(scratch.folder, 'init', '--quiet', '--object-format=sha256', 'long');

  const [clone, linked, long] = [
    await read(scratch, 'clone'),
    await read(scratch, 'linked'),
    await read(scratch, 'long'),
  ];

  assert.deepEqual([plain?.detachedHead, plain?.hasIncludes, plain?.usesSha256], [null, false, false]);
  assert.deepEqual([clone?.detachedHead, clone?.hasIncludes], [null, true]);
  assert.equal(linked?.detachedHead, run(scratch.path('linked'), 'rev-parse', 'HEAD'));
  assert.equal(long?.usesSha256, true);
});
