import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { openService, type TestService } from './open-service.ts';
import { until } from '../driver/until.ts';

const ENTRY = join(import.meta.dirname, '..', '..', 'src', 'bin', 'service.ts');

/** Runs the service as a process of its own and kills it when `when` says so, amid what `asked` began. */
async function killAmid(
  opened: TestService,
  asked: { method: string; path: string; body?: object },
  when: () => boolean | Promise<boolean>,
): Promise<void> {
  await opened.service.stop();
  const child = spawn(process.execPath, [ENTRY], {
    env: { ...process.env, TAKT_HOME: opened.home, TAKT_PORT: '0' },
    stdio: 'ignore',
  });
  await until('the service', () => (existsSync(join(opened.home, '.state', 'service.json')) ? true : undefined));
  const outgoing = request({
    socketPath: join(opened.home, '.state', 'takt.sock'),
    path: asked.path,
    method: asked.method,
    headers: asked.body === undefined ? {} : { 'content-type': 'application/json' },
  });
  let refused: string | undefined;
  outgoing.on('response', (incoming) => {
    if (incoming.statusCode !== 200) refused = `${asked.method} ${asked.path} gave ${incoming.statusCode}`;
    incoming.resume();
  });
  // The connection breaks when the service is killed.
  outgoing.on('error', () => undefined);
  outgoing.end(asked.body === undefined ? undefined : JSON.stringify(asked.body));
  try {
    await until('the moment', async () => {
      assert.equal(refused, undefined);
      return (await when()) ? true : undefined;
    });
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

const inWorkspaces = (opened: TestService): string[] => readdirSync(join(opened.home, 'workspaces'));
const branches = (opened: TestService, repo: string): Promise<string> =>
  opened.git(join(opened.home, 'root', repo), 'for-each-ref', '--format=%(refname:short)', 'refs/heads');

async function withBigRepos(): Promise<TestService> {
  const opened = await openService();
  const files = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`f${index}`, `${index}`.repeat(300)]));
  for (const name of ['one', 'two', 'three', 'four']) {
    const upstream = await opened.upstream(name, files);
    await opened.ask('/api/repos', { method: 'POST', body: { name, upstream } });
  }
  return opened;
}

test('a service that is killed while it makes a workspace leaves nothing of it after the next start', async () => {
  await using opened = await withBigRepos();
  const asked = {
    method: 'POST',
    path: '/api/workspaces',
    body: { workspace: 'task', repos: ['one', 'two', 'three', 'four'] },
  };

  await killAmid(opened, asked, () =>
    inWorkspaces(opened).some(
      (name) => name.startsWith('.new-') && readdirSync(join(opened.home, 'workspaces', name)).length > 0,
    ),
  );
  const left = inWorkspaces(opened);
  await opened.restart();

  assert.equal(left.length, 1);
  assert.deepEqual([inWorkspaces(opened), (await opened.ask('/api/workspaces')).body.workspaces], [[], []]);
  for (const repo of ['one', 'two', 'three', 'four']) assert.equal(await branches(opened, repo), 'main');
  assert.deepEqual(readdirSync(join(opened.home, '.state', 'tmp')), []);
  const again = await opened.ask('/api/workspaces', asked);
  assert.equal(again.status, 200, again.text);
});

test('a service that is killed while it deletes a workspace has either kept it or deletes it whole at the next start', async () => {
  await using opened = await withBigRepos();
  await opened.ask('/api/workspaces', { method: 'POST', body: { workspace: 'task', repos: ['one', 'two'] } });

  await killAmid(
    opened,
    { method: 'DELETE', path: '/api/workspaces/task' },
    // Deleting may be over between two looks; then it has to be whole.
    () => readdirSync(join(opened.home, '.state', 'tmp')).length > 0 || !inWorkspaces(opened).includes('task'),
  );
  await opened.restart();

  const known = (await opened.ask('/api/workspaces')).body.workspaces.length;
  const expected = known === 1 ? [['task'], 'main\ntask'] : [[], 'main'];
  assert.deepEqual([inWorkspaces(opened), await branches(opened, 'one')], expected);
  if (known === 1) assert.equal((await opened.ask('/api/workspaces/task')).body.clones[0].state, 'ok');
});
