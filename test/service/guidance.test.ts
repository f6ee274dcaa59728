import assert from 'node:assert/strict';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { purposeOf } from '../../src/service/guidance/context-packets.ts';
import { runGuidance } from '../../src/service/guidance/run-guidance.ts';
import { openConfig } from '../../src/config/config-source.ts';
import { homeLayout } from '../../src/platform/home-layout.ts';
import { openDatabase } from '../../src/store/database.ts';
import { type Loose, openService, type TestService, writeFiles } from './open-service.ts';

const put = (body: object): { method: string; body: object } => ({ method: 'PUT', body });

async function withWorkspace(): Promise<TestService> {
  const opened = await openService();
  await opened.addRepo('lib');
  await opened.addRepo('app', { dependsOn: ['lib'] });
  const made = await opened.ask('/api/workspaces', {
    method: 'POST',
    body: { workspace: 'task', repos: ['app'], read: ['lib'] },
  });
  assert.equal(made.status, 200, made.text);
  return opened;
}

test('a template is replaced only by whoever read what it says now', async () => {
  await using opened = await openService();
  const before = (await opened.ask('/api/templates/workspace.md')).body;

  const stale = await opened.ask('/api/templates/workspace.md', put({ text: 'x', hash: 'none' }));
  const done = await opened.ask('/api/templates/workspace.md', put({ text: '# {{workspace}}\n', hash: before.hash }));
  const unknown = await opened.ask('/api/templates/workspce.md');
  const broken = await opened.ask(
    '/api/templates/pipeline_roles.md',
    put({ text: '## a\n', hash: (await opened.ask('/api/templates/pipeline_roles.md')).body.hash }),
  );

  assert.equal(stale.body.fault.code, 'FILE_CHANGED');
  assert.deepEqual([done.status, await readFile(before.path, 'utf8')], [200, '# {{workspace}}\n']);
  assert.deepEqual(
    [unknown.body.fault.code, unknown.body.fault.message],
    ['TEMPLATE_NOT_FOUND', 'No template is called workspce.md. Did you mean workspace.md?'],
  );
  assert.equal(broken.body.fault.code, 'CONFIG_INVALID');
});

test('roles are listed, shown, replaced and added, each with a hash of its own', async () => {
  await using opened = await openService();
  const list = (await opened.ask('/api/roles')).body.roles.map(({ name }: Loose) => name);
  const review = (await opened.ask('/api/roles/review')).body;

  const stale = await opened.ask('/api/roles/review', put({ text: 'Look.', hash: 'none' }));
  const changed = await opened.ask('/api/roles/review', put({ text: 'Look twice.', hash: review.hash }));
  const added = await opened.ask('/api/roles/poet', put({ text: 'Writes verse.\n\nMind the metre.', hash: 'none' }));

  assert.ok(['plan', 'implement', 'test', 'review', 'fix', 'docs'].every((name) => list.includes(name)));
  assert.equal(stale.body.fault.code, 'FILE_CHANGED');
  assert.deepEqual([changed.body.prompt, changed.body.purpose], ['Look twice.', review.purpose]);
  assert.equal(added.body.purpose, 'Writes verse.');
  assert.equal((await opened.ask('/api/roles/implement')).status, 200);
  assert.equal(
    (await opened.ask('/api/roles/reviw')).body.fault.message,
    'No role is called reviw. Did you mean review?',
  );
});

test('context packets have a purpose and concern all or one repo; a name is never a path', async () => {
  await using opened = await withWorkspace();
  await writeFiles(join(opened.home, 'context'), {
    'database.md': '# Database\n\nHow tables are named.\n',
    'app/login.md': '---\npurpose: "How login works"\n---\n# Login\n',
    'other/x.md': 'Of no repo.\n',
  });

  const all = (await opened.ask('/api/context')).body.packets;
  const ours = (await opened.ask('/api/context?workspace=task')).body.packets;
  const shown = await opened.ask(`/api/context/${encodeURIComponent('app/login')}`);
  const outside = await opened.ask(`/api/context/${encodeURIComponent('../config/repos.yaml')}`);

  assert.deepEqual(
    all.map(({ name, purpose, repo }: Loose) => [name, purpose, repo]),
    [
      ['database', 'How tables are named.', null],
      ['app/login', 'How login works', 'app'],
      ['other/x', 'Of no repo.', null],
    ],
  );
  assert.deepEqual(
    ours.map(({ name }: Loose) => name),
    ['database', 'app/login'],
  );
  assert.match(shown.body.text, /# Login/);
  assert.equal(outside.body.fault.code, 'CONTEXT_NOT_FOUND');
});

test('the purpose is the first line of text', () => {
  assert.equal(purposeOf('# Title\n\nFirst line.\nSecond.\n'), 'First line.');
  assert.equal(purposeOf('---\nx: 1\n---\n\nText.\n'), 'Text.');
  assert.equal(purposeOf(''), '');
});

test('what is set for a repo reaches the clones that are there, and a changed one is left alone', async () => {
  await using opened = await withWorkspace();
  const local = join(opened.home, 'workspaces', 'task', 'app', 'CLAUDE.local.md');
  const show = async (): Promise<Loose> => (await opened.ask('/api/guidance?repo=app')).body;

  const first = await opened.ask('/api/guidance', put({ repo: 'app', text: 'Use tabs.\n', hash: (await show()).hash }));
  const written = await readFile(local, 'utf8');
  await opened.ask('/api/guidance', put({ repo: 'app', text: 'Use blanks.\n', hash: (await show()).hash }));
  const rewritten = await readFile(local, 'utf8');
  await writeFile(local, 'mine\n');
  await opened.ask('/api/guidance', put({ repo: 'app', text: 'Use both.\n', hash: (await show()).hash }));

  assert.equal(first.status, 200, first.text);
  assert.match(written, /Use tabs\./);
  assert.match(rewritten, /Use blanks\./);
  assert.equal(await readFile(local, 'utf8'), 'mine\n');
  assert.equal((await opened.ask('/api/workspaces/task')).body.clones[0].dirty, 0);
});

test('the page on top of a workspace is read without following a link, and replaced by hash', async () => {
  await using opened = await withWorkspace();
  const page = join(opened.home, 'workspaces', 'task', 'CLAUDE.md');
  const { body: before } = await opened.ask('/api/guidance?workspace=task');

  const done = await opened.ask('/api/guidance', put({ workspace: 'task', text: '# Ours\n', hash: before.hash }));
  await rm(page);
  await symlink(join(opened.home, '.state', 'token'), page);
  const linked = await opened.ask('/api/guidance?workspace=task');
  const neither = await opened.ask('/api/guidance');

  assert.equal(done.status, 200, done.text);
  assert.deepEqual([linked.body.text, linked.body.hash], ['', 'none']);
  assert.equal(neither.body.fault.code, 'INPUT_INVALID');
});

test('a run’s folder gets the page, the guidance of its repos and the packets that concern it', async () => {
  await using opened = await withWorkspace();
  await writeFiles(join(opened.home, 'context'), { 'database.md': 'How tables are named.\n' });
  await mkdir(join(opened.home, 'config', 'guidance'), { recursive: true });
  await writeFile(join(opened.home, 'config', 'guidance', 'lib.md'), 'Mind the cents.\n');
  const layout = homeLayout(opened.home);
  const database = openDatabase(layout.database);

  const files = runGuidance({ layout, database, config: openConfig(layout) }, 'task');
  database.connection.close();

  assert.deepEqual(
    files.map(({ path }) => path),
    ['CLAUDE.md', 'lib/CLAUDE.local.md', '.takt/context/database.md'],
  );
  assert.match(files[0]!.text, /`\.takt\/context\/database\.md`: How tables are named\./);
  assert.match(files[1]!.text, /Mind the cents\./);
});

test('settings are listed with their values, and changed by key', async () => {
  await using opened = await openService();
  const before = (await opened.ask('/api/settings')).body;

  const set = await opened.ask('/api/settings/on_new_push', put({ value: 'finish', hash: before.hash }));
  const stale = await opened.ask('/api/settings/max_turns', put({ value: '5', hash: before.hash }));
  const wrong = await opened.ask('/api/settings/on_new_push', put({ value: 'later' }));
  const unknown = await opened.ask('/api/settings/on_new_psh');

  assert.deepEqual([set.body.value, set.body.isDefault], ['finish', false]);
  assert.equal(stale.body.fault.code, 'FILE_CHANGED');
  assert.deepEqual(
    [wrong.body.fault.code, wrong.body.fault.message],
    ['INPUT_INVALID', 'on_new_push has to be one of stop, finish.'],
  );
  assert.equal(unknown.body.fault.message, 'No setting is called on_new_psh. Did you mean on_new_push?');
});
