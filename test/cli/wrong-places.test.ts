import assert from 'node:assert/strict';
import { mkdir, readdir, rm, rmdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { faultOfSystemError } from '../../src/contract/system-fault.ts';
import { openHousehold } from '../driver/household.ts';

test('a home that cannot be made is a fault that names the path, and never a defect', async () => {
  await using house = await openHousehold();
  const file = join(house.folder, 'file');
  await writeFile(file, 'x');
  const dangling = join(house.folder, 'dangling');
  await symlink('/nonexistent', dangling);

  const said = await Promise.all(
    [join(file, 'sub'), dangling, '/proc/home', '/proc/a/b/c'].map((place) =>
      house.takt('--home', place, 'init', '--json'),
    ),
  );

  for (const { code, stderr } of said) {
    assert.equal(code, 7, stderr);
    assert.equal(JSON.parse(stderr).fault.code, 'HOME_UNUSABLE');
  }
});

test('a home whose marker is damaged says so, and what mends it', async () => {
  await using house = await openHousehold();
  const marker = join(house.home, '.state', 'home.json');
  await writeFile(marker, '{');

  for (const words of [['init'], ['workspace', 'list']]) {
    const { code, stderr } = await house.takt(...words);

    assert.equal(code, 2, stderr);
    assert.ok(stderr.includes(marker), stderr);
    assert.match(stderr, /Write \{"version":1\} into it/);
  }
});

test('a folder in the place of the marker of a home, or of a log, is no defect', async () => {
  await using house = await openHousehold();
  const marker = join(house.home, '.state', 'home.json');
  const log = join(house.home, '.state', 'service-start.log');
  await rm(marker);
  for (const path of [marker, log]) await mkdir(path);

  const said = await Promise.all([house.takt('service', 'start'), house.takt('service', 'stop')]);
  await rmdir(marker);
  await house.ok('init');
  const logged = await house.takt('service', 'start');

  for (const { code, stderr } of said) {
    assert.equal(code, 2, stderr);
    assert.ok(stderr.includes(`${marker} is a folder`), stderr);
  }
  assert.equal(logged.code, 7, logged.stderr);
  assert.ok(logged.stderr.includes(`${log} is a folder`), logged.stderr);
});

test('a home with blanks in its path is named so that a shell takes it', async () => {
  await using house = await openHousehold();
  const place = join(house.folder, "a home's place");

  const said = await house.ok('--home', place, 'init');

  assert.ok(said.includes(`export TAKT_HOME='${house.folder}/a home'\\''s place'`), said);
});

test('the path of an upstream is read from where it was typed', async () => {
  await using house = await openHousehold();
  await house.upstream('app', { 'a.txt': 'a' });
  await mkdir(join(house.folder, 'upstream', 'empty'));

  await house.ok('repo', 'add', 'app', 'upstream/app.git');
  await house.ok('repo', 'add', 'again', './upstream/app.git');
  const gone = await house.takt('repo', 'add', 'gone', './upstream/gone.git');

  const { upstream } = await house.json<{ upstream: string }>('repo', 'show', 'app');
  assert.equal(upstream, join(house.folder, 'upstream', 'app.git'));
  assert.equal(gone.code, 7, gone.stderr);
  assert.ok(gone.stderr.includes(join(house.folder, 'upstream', 'gone.git')), gone.stderr);
  assert.deepEqual((await readdir(join(house.home, 'root'))).toSorted(), ['again', 'app']);
});

test('a name that does not fit is shown with the rule', async () => {
  await using house = await openHousehold();

  const { code, stderr } = await house.takt('repo', 'add', '../evil', '/tmp');

  assert.equal(code, 2);
  assert.match(stderr, /name is "\.\.\/evil", which does not fit: letters, digits/);
});

test('what the state of a disk explains is no defect', () => {
  const fault = (error: object): string | undefined => faultOfSystemError(error)?.code;

  assert.deepEqual(
    [{ code: 'ENOSPC' }, { code: 'EDQUOT' }, { errcode: 13 }, { errcode: 13 | (1 << 8) }].map(fault),
    Array.from({ length: 4 }, () => 'DISK_FULL'),
  );
  assert.deepEqual(
    [{ code: 'EROFS' }, { code: 'EACCES' }, { code: 'EPERM' }, { errcode: 8 }, { errcode: 14 }].map(fault),
    Array.from({ length: 5 }, () => 'HOME_UNUSABLE'),
  );
  assert.deepEqual([{ code: 'ENOENT' }, { errcode: 1 }, new TypeError('x')].map(fault), [
    undefined,
    undefined,
    undefined,
  ]);
});
