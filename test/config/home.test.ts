import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openConfig } from '../../src/config/config-source.ts';
import { addRepoEntry, removeRepoEntry } from '../../src/config/edit-repos.ts';
import { setSetting, settingKeys } from '../../src/config/edit-settings.ts';
import { readFileText } from '../../src/config/edit-file.ts';
import { checkHome, initHome } from '../../src/config/init-home.ts';
import { settingAbout } from '../../src/config/setting-about.ts';
import { REPOS_STARTER, SETTINGS_STARTER } from '../../src/config/starter-files.ts';
import { RepoConfig } from '../../src/contract/repo.ts';
import { homeLayout } from '../../src/platform/home-layout.ts';

async function emptyFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'takt-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

const entry = (name: string, more: object = {}): RepoConfig =>
  RepoConfig.parse({ name, upstream: `/srv/${name}.git`, ...more });

test('a home is made in an empty folder, with files to begin with', async () => {
  await using folder = await emptyFolder();
  const layout = homeLayout(join(folder.path, 'new', 'home'));

  const made = await initHome(layout.home);

  assert.deepEqual(made, { home: layout.home, isNew: true });
  assert.equal((await stat(layout.state)).mode & 0o777, 0o700);
  assert.equal(await readFile(layout.reposFile, 'utf8'), REPOS_STARTER);
  assert.match(await readFile(layout.rolesFile, 'utf8'), /## implement/);
  await checkHome(layout);
  const config = openConfig(layout);
  assert.deepEqual([config.repos(), config.settings().confinement], [[], 'auto']);
});

test('making a home again keeps what was edited and adds what is missing', async () => {
  await using folder = await emptyFolder();
  const layout = homeLayout(folder.path);
  await initHome(layout.home);
  await writeFile(layout.rolesFile, '# mine\n');
  await writeFile(layout.settingsFile, 'on_new_push: finish\n');
  await rm(join(layout.templates, 'workspace.md'));

  const made = await initHome(layout.home);

  assert.equal(made.isNew, false);
  assert.equal(await readFile(layout.rolesFile, 'utf8'), '# mine\n');
  assert.equal(await readFile(layout.settingsFile, 'utf8'), 'on_new_push: finish\n');
  assert.match(await readFile(join(layout.templates, 'workspace.md'), 'utf8'), /\{\{workspace\}\}/);
});

test('a folder that holds something else is refused and left as it is', async () => {
  await using folder = await emptyFolder();
  await writeFile(join(folder.path, 'letter.txt'), 'dear');

  await assert.rejects(initHome(folder.path), { code: 'HOME_NOT_EMPTY' });
  await assert.rejects(initHome(join(folder.path, 'letter.txt')), { code: 'HOME_NOT_EMPTY' });
  await assert.rejects(checkHome(homeLayout(folder.path)), { code: 'HOME_MISSING' });
  await assert.rejects(stat(join(folder.path, 'config')), { code: 'ENOENT' });
});

test('a home whose making was cut short is made whole', async () => {
  await using folder = await emptyFolder();
  const layout = homeLayout(folder.path);
  await initHome(layout.home);
  await rm(join(layout.state, 'home.json'));

  assert.equal((await initHome(layout.home)).isNew, true);
  await checkHome(layout);
});

test('a home of a newer takt and a path too long for a socket are refused by name', async () => {
  await using folder = await emptyFolder();
  const layout = homeLayout(join(folder.path, 'home'));
  await initHome(layout.home);
  await writeFile(join(layout.state, 'home.json'), '{"version":2}');

  await assert.rejects(checkHome(layout), { code: 'HOME_NEWER' });
  await assert.rejects(initHome(join(folder.path, 'x'.repeat(100))), {
    code: 'INPUT_INVALID',
    message: /bytes too long/,
  });
});

test('an edit of the configuration is seen at once, and comments stay', async () => {
  await using folder = await emptyFolder();
  const layout = homeLayout(folder.path);
  await initHome(layout.home);
  const config = openConfig(layout);

  await addRepoEntry(layout.reposFile, entry('lib'));
  await addRepoEntry(layout.reposFile, entry('app', { depends_on: ['lib'], copy: ['.env'], setup: 'npm ci' }));
  const both = config.repos().map(({ name }) => name);
  await removeRepoEntry(layout.reposFile, 'lib');
  const left = config.repo('app');
  await removeRepoEntry(layout.reposFile, 'app');

  assert.deepEqual(both, ['lib', 'app']);
  assert.deepEqual([left.depends_on, left.copy, left.setup], [[], ['.env'], 'npm ci']);
  assert.equal(await readFile(layout.reposFile, 'utf8'), REPOS_STARTER);
  assert.throws(() => config.repo('ap'), { code: 'REPO_NOT_FOUND' });
});

test('an edit that would make the file wrong is refused, and so is one of a file that is wrong', async () => {
  await using folder = await emptyFolder();
  const layout = homeLayout(folder.path);
  await mkdir(join(folder.path, 'config'), { recursive: true });
  await writeFile(layout.reposFile, 'repos:\n  - name: app\n    upstream: /x # keep me\n');

  await assert.rejects(addRepoEntry(layout.reposFile, entry('b', { depends_on: ['nobody'] })), {
    code: 'INPUT_INVALID',
    message: 'b depends on nobody, which is not listed.',
  });
  assert.match(await readFile(layout.reposFile, 'utf8'), /keep me/);
  await writeFile(layout.reposFile, 'repos:\n  - nam: app\n');
  await assert.rejects(addRepoEntry(layout.reposFile, entry('b')), {
    code: 'CONFIG_INVALID',
    message: /config\/repos\.yaml:2:5/,
  });
});

test('a setting is written with its comments kept, and goes back to the default', async () => {
  await using folder = await emptyFolder();
  const layout = homeLayout(folder.path);
  await initHome(layout.home);
  const config = openConfig(layout);
  const { hash } = await readFileText(layout.settingsFile);

  await setSetting(layout.settingsFile, 'model.default', 'opus', hash);
  await setSetting(layout.settingsFile, 'author', '{ name: Ada, email: ada@example.org }', undefined);
  const changed = config.settings();
  await assert.rejects(setSetting(layout.settingsFile, 'model.default', 'haiku', hash), { code: 'FILE_CHANGED' });
  await setSetting(layout.settingsFile, 'model.default', 'default', undefined);
  await setSetting(layout.settingsFile, 'author', 'default', undefined);

  assert.deepEqual([changed.model.default, changed.author?.name], ['opus', 'Ada']);
  assert.equal(await readFile(layout.settingsFile, 'utf8'), SETTINGS_STARTER);
});

test('a wrong value or an unknown setting is refused in words, and the file stays', async () => {
  await using folder = await emptyFolder();
  const layout = homeLayout(folder.path);
  await initHome(layout.home);
  const set = (key: string, value: string): Promise<unknown> => setSetting(layout.settingsFile, key, value, undefined);

  await assert.rejects(set('on_new_push', 'stopp'), {
    code: 'INPUT_INVALID',
    message: 'on_new_push has to be one of stop, finish; did you mean stop?',
  });
  await assert.rejects(set('steps_at_onc', '3'), {
    code: 'INPUT_INVALID',
    message: 'No setting is called steps_at_onc. Did you mean steps_at_once?',
  });
  await assert.rejects(set('toolchains', '[a'), { code: 'INPUT_INVALID' });
  assert.equal(await readFile(layout.settingsFile, 'utf8'), SETTINGS_STARTER);
});

test('what may hold a password is for its owner alone, from the first and after each edit', async () => {
  await using folder = await emptyFolder();
  const layout = homeLayout(folder.path);
  await initHome(layout.home);
  const files = [layout.reposFile, layout.settingsFile];
  const modes = (): Promise<string[]> =>
    Promise.all(files.map(async (path) => ((await stat(path)).mode & 0o777).toString(8)));
  let turns = 0;
  const edit = async (): Promise<void> => {
    turns += 1;
    await addRepoEntry(layout.reposFile, entry(`repo-${turns}`));
    await setSetting(layout.settingsFile, 'steps_at_once', String(turns), undefined);
  };
  const seen = [await modes()];

  await edit();
  seen.push(await modes());
  for (const mode of [0o644, 0o400]) {
    await Promise.all(files.map((path) => chmod(path, mode)));
    await edit();
    seen.push(await modes());
  }
  await Promise.all(files.map((path) => rm(path)));
  await edit();
  seen.push(await modes());

  assert.deepEqual(
    seen.map((pair) => pair.join()),
    ['600,600', '600,600', '600,600', '400,400', '600,600'],
  );
});

test('edits at the same time all arrive', async () => {
  await using folder = await emptyFolder();
  const layout = homeLayout(folder.path);
  await initHome(layout.home);
  const names = Array.from({ length: 12 }, (_, index) => `repo-${index}`);

  await Promise.all(names.map((name) => addRepoEntry(layout.reposFile, entry(name))));

  assert.deepEqual(
    openConfig(layout)
      .repos()
      .map(({ name }) => String(name))
      .toSorted(),
    names.toSorted(),
  );
});

test('every setting is explained', () => {
  assert.deepEqual(Object.keys(settingAbout), settingKeys());
});
