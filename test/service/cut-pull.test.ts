import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDatabase } from '../../src/store/database.ts';
import { planClonePull } from '../../src/store/clone-pulls.ts';
import { openService } from './open-service.ts';

test('a pull that was cut short is brought to its end by the next one, and nothing that somebody wrote is lost', async () => {
  await using opened = await openService();
  const upstream = await opened.addRepo('app');
  await opened.ask('/api/workspaces', { method: 'POST', body: { workspace: 'task', repos: ['app'] } });
  const clone = join(opened.home, 'workspaces', 'task', 'app');
  const root = join(opened.home, 'root', 'app');
  const old = await opened.git(clone, 'rev-parse', 'HEAD');
  const work = join(opened.folder, 'work', 'app');
  for (const name of ['one', 'two', 'three', 'four']) await writeFile(join(work, name), `${name} of the new\n`);
  await opened.git(work, 'add', '-A');
  await opened.git(work, 'commit', '-qm', 'more');
  await opened.git(work, 'push', '-q', root, 'HEAD:refs/heads/task');
  const next = await opened.git(work, 'rev-parse', 'HEAD');
  // As kill -9 leaves it: some files written, one half, one that somebody made since, and the locks.
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

  const reply = await opened.ask('/api/workspaces/task/pull', { method: 'POST', body: { fetch: false } });

  assert.equal(reply.body.results[0].state, 'current', reply.text);
  assert.match(reply.body.results[0].why, /2 files that held something else are in/);
  assert.equal(await opened.git(clone, 'rev-parse', 'HEAD'), next);
  assert.equal(await opened.git(clone, 'status', '--porcelain'), '');
  assert.equal(existsSync(join(clone, '.git', 'index.lock')), false);
  const [aside = ''] = (await readdir(join(opened.home, '.state', 'aside'))).filter((name) =>
    name.startsWith('task-app'),
  );
  assert.equal(await readFile(join(opened.home, '.state', 'aside', aside, 'three'), 'utf8'), 'of a person\n');
  assert.equal(await readFile(join(clone, 'four'), 'utf8'), 'four of the new\n');
  assert.ok(upstream);
});
