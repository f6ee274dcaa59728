import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { openService } from './open-service.ts';

const LOOKS = 100_000;

test('a workspace whose maker leaves once it is in place is made, and its job says so', async () => {
  await using opened = await openService();
  for (const name of ['app', 'lib', 'docs']) await opened.addRepo(name);
  const leaving = new AbortController();

  const asked = opened.ask('/api/workspaces', {
    method: 'POST',
    body: { workspace: 'task', repos: ['app', 'lib', 'docs'] },
    headers: { accept: 'application/x-ndjson' },
    signal: leaving.signal,
  });
  asked.catch(() => undefined);
  const place = join(opened.home, 'workspaces', 'task');
  for (let look = 0; look < LOOKS && !existsSync(place); look += 1) await nextTurn();
  leaving.abort();
  let job;
  do [job] = (await opened.ask('/api/jobs')).body.jobs;
  while (job.state === 'running');

  assert.equal(job.state, 'done');
  assert.equal((await opened.ask('/api/workspaces/task')).status, 200);
});
