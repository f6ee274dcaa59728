import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDatabase } from '../../src/store/database.ts';
import { planClonePull } from '../../src/store/clone-pulls.ts';
import { openService, type Reply, type TestService } from './open-service.ts';

interface CutPull {
  readonly clone: string;
  readonly work: string;
  readonly upstream: string;
  readonly next: string;
  /** What was copied aside for the clone. */
  aside(): Promise<string>;
}

/** As kill -9 leaves a pull: some files written, one half, one that somebody made since, and the locks. */
async function cutPull(opened: TestService): Promise<CutPull> {
  const upstream = await opened.addRepo('app');
  await opened.ask('/api/workspaces', { method: 'POST', body: { workspace: 'task', repos: ['app'] } });
  const clone = join(opened.home, 'workspaces', 'task', 'app');
  const old = await opened.git(clone, 'rev-parse', 'HEAD');
  const work = join(opened.folder, 'work', 'app');
  for (const name of ['one', 'two', 'three', 'four', 'five']) await writeFile(join(work, name), `${name} of the new\n`);
  await opened.git(work, 'add', '-A');
  await opened.git(work, 'commit', '-qm', 'more');
  await opened.git(work, 'push', '-q', join(opened.home, 'root', 'app'), 'HEAD:refs/heads/task');
  const next = await opened.git(work, 'rev-parse', 'HEAD');
  await writeFile(join(clone, 'one'), 'one of the new\n');
  await writeFile(join(clone, 'two'), 'two of');
  await writeFile(join(clone, 'three'), 'of a person\n');
  for (const lock of ['index.lock', 'refs/heads/task.lock']) {
    await writeFile(join(clone, '.git', lock), '');
    await utimes(join(clone, '.git', lock), 1_000_000_000, 1_000_000_000);
  }
  const database = openDatabase(join(opened.home, '.state', 'takt.db'));
  planClonePull(database, 'task', 'app', { old: old as never, new: next as never });
  database.close();
  const places = join(opened.home, '.state', 'aside');
  const aside = async (): Promise<string> =>
    join(places, (await readdir(places)).find((name) => name.startsWith('task-app')) ?? 'none');
  return { clone, work, upstream, next, aside };
}

test('a pull that was cut short is brought to its end by the next one, and nothing that somebody wrote is lost', async () => {
  await using opened = await openService();
  const { clone, next, aside } = await cutPull(opened);
  await mkdir(join(clone, 'four'));
  await writeFile(join(clone, 'four', 'notes'), 'of a person\n');
  await symlink('of-a-person', join(clone, 'five'));

  const reply = await opened.ask('/api/workspaces/task/pull', { method: 'POST', body: { fetch: false } });

  const [app] = reply.body.results;
  assert.equal(app.state, 'current', reply.text);
  assert.match(app.why, /what held something else \(five, four, three and 1 more\) is in/);
  assert.equal(await opened.git(clone, 'rev-parse', 'HEAD'), next);
  assert.equal(await opened.git(clone, 'status', '--porcelain'), '');
  assert.equal(existsSync(join(clone, '.git', 'index.lock')), false);
  for (const name of ['three', 'four/notes'])
    assert.equal(await readFile(join(await aside(), name), 'utf8'), 'of a person\n');
  assert.equal(await readlink(join(await aside(), 'five')), 'of-a-person');
  assert.equal(await readFile(join(clone, 'four'), 'utf8'), 'four of the new\n');
});

test('what a pull that was cut short has put aside is named, also where upstream’s branch went apart', async () => {
  await using opened = await openService();
  const { work, upstream, aside } = await cutPull(opened);
  await opened.git(work, 'commit', '-q', '--amend', '-m', 'of a reviewer');
  await opened.git(work, 'push', '-q', upstream, 'HEAD:refs/heads/task');

  const reply = await opened.ask('/api/workspaces/task/pull', { method: 'POST', body: {} });

  const [app] = reply.body.results;
  assert.equal(app.state, 'refused', reply.text);
  assert.match(app.why, /have gone apart/);
  assert.ok(app.why.includes(await aside()), app.why);
});

test('a pull that was cut short is still to be ended while another git works in the clone', async () => {
  await using opened = await openService();
  const { clone, next } = await cutPull(opened);
  const lock = join(clone, '.git', 'index.lock');
  await writeFile(lock, '');
  const pull = (): Promise<Reply> =>
    opened.ask('/api/workspaces/task/pull', { method: 'POST', body: { fetch: false } });

  const busy = await pull();
  await rm(lock);
  const after = await pull();

  assert.equal(busy.body.results[0].state, 'refused', busy.text);
  assert.match(busy.body.results[0].why, /cut short .* another git process works in it/);
  assert.equal(after.body.results[0].state, 'current', after.text);
  assert.equal(await opened.git(clone, 'rev-parse', 'HEAD'), next);
});
