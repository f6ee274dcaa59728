import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import type { Repo } from '../../src/contract/repo.ts';
import { openHousehold } from '../driver/household.ts';
import { pictureOf } from '../driver/picture.ts';
import { makeFifo } from '../git/scratch.ts';

test('a clone is adopted from where one stands, and what it came from is written down as it is there', async () => {
  await using house = await openHousehold();
  const upstream = await house.upstream('app', { 'file.txt': 'text\n' });
  await mkdir(join(house.folder, 'src'));
  await house.git(join(house.folder, 'src'), 'clone', '-q', '../upstream/app.git', 'app');
  const clone = join(house.folder, 'src', 'app');
  await house.git(clone, 'remote', 'set-url', 'origin', '../../upstream/app.git');
  await house.git(clone, 'commit', '-q', '--allow-empty', '-m', 'mine');
  const before = await pictureOf(clone);

  const text = await house.ok('repo', 'add', 'app', './src/app/');

  assert.deepEqual(await pictureOf(clone), before);
  assert.match(text, new RegExp(`^Added app\\.\n[^]*upstream +${upstream}\n`));
  assert.ok(text.includes(`note Its upstream is ${upstream}, the remote origin of ${clone}; that clone is as it was.`));
  assert.match(text, /note Upstream lacks commits of these branches of the clone, which were not taken over: main\./);
  assert.ok(
    text.includes(
      `git -C ${clone} push ${house.root('app')} refs/heads/main:refs/heads/main-local && takt workspace create main-local app --adopt`,
    ),
    text,
  );
});

test('what the user’s own git makes of an address holds for an adopted one', async () => {
  await using house = await openHousehold();
  const upstream = await house.upstream('app', { 'file.txt': 'text\n' });
  const clone = join(house.folder, 'app');
  await house.git(house.folder, 'clone', '-q', upstream, clone);
  await house.git(clone, 'remote', 'set-url', 'origin', 'https://git.example.invalid/app.git');
  const config = `[url "${join(house.folder, 'upstream')}/"]\n\tinsteadOf = https://git.example.invalid/\n`;
  await writeFile(join(house.environment['HOME']!, '.gitconfig'), config);

  const added = await house.json<Repo>('repo', 'add', 'app', clone);

  assert.equal(added.upstream, 'https://git.example.invalid/app.git');
  assert.equal(added.head, await house.git(upstream, 'rev-parse', 'main'));
  assert.match(
    await readFile(join(house.home, 'config', 'repos.yaml'), 'utf8'),
    /upstream: https:\/\/git\.example\.invalid/,
  );
  assert.ok(existsSync(join(house.root('app'), 'HEAD')));
});

test('a pipe in the place of a file of git’s holds nobody up', async () => {
  await using house = await openHousehold();
  const upstream = await house.upstream('app', { 'file.txt': 'text\n' });
  const clone = join(house.folder, 'app');
  await house.git(house.folder, 'clone', '-q', upstream, clone);
  makeFifo(join(clone, '.git', 'commondir'));

  const refused = await house.takt('repo', 'add', 'app', clone);
  await rm(join(clone, '.git', 'commondir'));
  const added = await house.takt('repo', 'add', 'app', clone);

  assert.equal(refused.code, 7);
  assert.match(refused.stderr, /takt: \S+\/commondir is no file, so that git cannot read the clone /);
  assert.equal(added.code, 0, added.stderr);
});

test('a fork that a clone pushes to and that nobody reaches is told as that, without its password', async () => {
  await using house = await openHousehold();
  const upstream = await house.upstream('app', { 'file.txt': 'text\n' });
  const clone = join(house.folder, 'app');
  await house.git(house.folder, 'clone', '-q', upstream, clone);
  await house.git(clone, 'config', 'remote.origin.pushurl', 'https://bob:geheim@127.0.0.1:1/fork.git');

  const refused = await house.takt('repo', 'add', 'app', clone);
  const added = await house.json<Repo>('repo', 'add', 'app', clone, '--push-url', upstream);

  assert.equal(refused.code, 7);
  assert.match(refused.stderr, /takt: The upstream https:\/\/bob:\*\*\*@127\.0\.0\.1:1\/fork\.git/);
  assert.match(refused.stderr, /pushes there \(remote\.origin\.pushurl\); --push-url names another place\./);
  assert.doesNotMatch(refused.stderr, /This shell reaches it|geheim/);
  assert.equal(added.pushUrl, null);
});
