import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { initHome } from '../../src/config/init-home.ts';
import { openLog } from '../../src/service/open-log.ts';
import { startService } from '../../src/service/start-service.ts';
import { openService } from './open-service.ts';
import { until } from '../driver/until.ts';

const ENTRY = join(import.meta.dirname, '..', '..', 'src', 'bin', 'service.ts');

async function freshHome(): Promise<AsyncDisposable & { path: string; log: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'takt-test-'));
  const path = join(folder, 'home');
  await initHome(path);
  return {
    path,
    log: join(path, '.state', 'service.log'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

test('a home has one service, and the second is told which', async () => {
  await using opened = await openService();

  await assert.rejects(startService({ home: opened.home, port: 0, log: join(opened.folder, 'log') }), {
    code: 'SERVICE_LOCKED',
    message: new RegExp(`It is process ${process.pid}, on port ${opened.service.address.port}\\.`),
  });
  assert.equal((await opened.ask('/api/status')).status, 200);
});

test('a taken port is a fault that names who has it, and leaves nothing open', async () => {
  await using home = await freshHome();
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as { port: number };

  await assert.rejects(startService({ home: home.path, port, log: home.log }), {
    code: 'PORT_TAKEN',
    message: new RegExp(`Port ${port} is taken by process ${process.pid} \\(.*node`),
  });
  holder.close();
  const service = await startService({ home: home.path, port, log: home.log });
  await service.stop();
});

test('a folder that is no home is refused and left empty', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'takt-test-'));

  await assert.rejects(startService({ home: folder, port: 0, log: join(folder, 'log') }), { code: 'HOME_MISSING' });
  assert.deepEqual(await readdir(folder), []);
  await rm(folder, { recursive: true });
});

test('stopping takes less than two seconds with readers of events, and clears up', async () => {
  const opened = await openService();
  const readers = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const outgoing = request({ socketPath: opened.service.address.socket, path: '/api/events' }).end();
      const [incoming] = await once(outgoing, 'response');
      incoming.on('error', () => undefined).resume();
      return { closed: once(incoming, 'close') };
    }),
  );
  const asleep = request({ host: '127.0.0.1', port: opened.service.address.port, path: '/api/events' }).end();
  asleep.on('error', () => undefined);
  await once(asleep, 'response');
  const startedAtMs = performance.now();

  await opened.service.stop();
  await Promise.all(readers.map(({ closed }) => closed));

  assert.ok(performance.now() - startedAtMs < 2000);
  const state = join(opened.home, '.state');
  assert.deepEqual([existsSync(join(state, 'takt.sock')), existsSync(join(state, 'service.json'))], [false, false]);
  await opened[Symbol.asyncDispose]();
});

test('the service can be asked to stop over HTTP, and says who it was', async () => {
  await using opened = await openService();

  const reply = await opened.ask('/api/stop', { method: 'POST', body: {} });
  await opened.service.ended;

  assert.deepEqual(reply.body, { pid: process.pid });
});

test('a service that was killed leaves no lock, and its socket is replaced', async () => {
  await using home = await freshHome();
  const child = spawn(process.execPath, [ENTRY], {
    env: { ...process.env, TAKT_HOME: home.path, TAKT_PORT: '0' },
    stdio: 'ignore',
  });
  const file = join(home.path, '.state', 'service.json');
  const first = await until('the service to write its file', async () =>
    existsSync(file) ? JSON.parse(await readFile(file, 'utf8')) : undefined,
  );

  child.kill('SIGKILL');
  await once(child, 'exit');
  const service = await startService({ home: home.path, port: first.port, log: home.log });

  assert.equal(first.pid, child.pid);
  assert.equal((await stat(service.address.socket)).mode & 0o777, 0o600);
  assert.equal(JSON.parse(await readFile(file, 'utf8')).pid, process.pid);
  await service.stop();
});

test('SIGTERM ends the process with code 0, a wrong start with the code of its fault and its words', async () => {
  await using home = await freshHome();
  const child = spawn(process.execPath, [ENTRY], {
    env: { ...process.env, TAKT_HOME: home.path, TAKT_PORT: '0' },
    stdio: 'ignore',
  });
  await until('the socket', () => (existsSync(join(home.path, '.state', 'service.json')) ? true : undefined));

  const second = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile(process.execPath, [ENTRY], { env: { ...process.env, TAKT_HOME: home.path } }, (error, _stdout, stderr) =>
      resolve({ code: error?.code, stderr }),
    );
  });
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');

  assert.equal(code, 0);
  assert.equal(second.code, 5);
  assert.match(second.stderr, new RegExp(`^takt: Another service runs for .*It is process ${child.pid}`));
});

test('what comes while the service starts waits for it', async () => {
  await using home = await freshHome();
  const socket = join(home.path, '.state', 'takt.sock');
  const starting = startService({ home: home.path, port: 0, log: home.log });

  const status = await until(
    'an answer',
    () =>
      new Promise<number | undefined>((resolve) => {
        const outgoing = request({ socketPath: socket, path: '/api/status', agent: false }, (incoming) =>
          resolve(incoming.resume().statusCode),
        ).end();
        outgoing.on('error', () => resolve(undefined));
      }),
  );

  assert.equal(status, 200);
  await (await starting).stop();
});

test('the log stays within its bound', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'takt-test-'));
  const path = join(folder, 'service.log');
  await writeFile(path, 'x'.repeat(10 * 1024 * 1024 - 10));
  const log = openLog(path);

  for (const line of ['first, over the limit\n', 'second\n']) log.write(line);
  log.close();
  log.write('after the end\n');

  assert.equal(await readFile(path, 'utf8'), 'second\n');
  assert.match((await readFile(`${path}.1`, 'utf8')).slice(-30), /first, over the limit\n$/);
  await rm(folder, { recursive: true });
});
