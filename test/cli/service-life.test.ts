import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { newHome } from './home.ts';
import { startTicksOf } from '../../src/platform/process-identity.ts';
import { ending, startTakt, takt } from './takt-process.ts';

const pidOf = async (env: Record<string, string>): Promise<number> =>
  (JSON.parse((await takt(['service', 'status', '--json'], { env })).stdout) as { pid: number }).pid;

test('init makes a home once, keeps what is there, and leaves other folders alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'takt-life-'));
  const home = join(folder, 'home');
  const made = await takt(['init', home]);
  writeFileSync(join(home, 'config', 'settings.yaml'), 'confinement: off\n');
  const again = await takt(['init', home, '--json']);
  const foreign = await takt(['init', folder]);
  const listed = await takt(['setting', 'show', 'confinement', '--home', home], { env: { TAKT_PORT: '0' } });
  await takt(['service', 'stop', '--home', home]);
  rmSync(folder, { recursive: true });

  assert.match(made.stdout, new RegExp(`Made a home in ${home}\\.[\\s\\S]*export TAKT_HOME=${home}`));
  assert.deepEqual(JSON.parse(again.stdout), { home, isNew: false });
  assert.equal(foreign.code, 5);
  assert.equal(listed.stdout, 'off\n');
});

test('a command starts the service, and several at once start one', async () => {
  await using home = await newHome();

  const results = await Promise.all(Array.from({ length: 4 }, () => takt(['workspace', 'list'], { env: home.env })));

  for (const { code, stdout, stderr } of results) {
    assert.deepEqual([code, stdout], [0, 'No workspaces yet. `takt workspace create NAME REPO…` makes one.\n'], stderr);
  }
  assert.ok((await pidOf(home.env)) > 0);
});

test('start, stop and restart say what is so, and may be repeated', async () => {
  await using home = await newHome();
  const run = (...words: string[]): ReturnType<typeof takt> => takt(['service', ...words], { env: home.env });

  const notRunning = await run('status');
  const started = await run('start');
  const first = await pidOf(home.env);
  const again = await run('start');
  const restarted = await run('restart');
  const second = await pidOf(home.env);
  const stopped = await run('stop', '--json');
  const stoppedAgain = await run('stop');

  assert.deepEqual(
    [notRunning.code, started.code, again.code, restarted.code, stopped.code, stoppedAgain.code],
    [69, 0, 0, 0, 0, 0],
  );
  assert.match(notRunning.stderr, /does not run\.\n {6}`takt service start`/);
  assert.match(started.stdout, /^The service runs\./);
  assert.match(again.stdout, /^It runs already\.\nThe service runs\./);
  assert.notEqual(first, second);
  assert.deepEqual(JSON.parse(stopped.stdout), { pid: second });
  assert.equal(stoppedAgain.stdout, 'The service does not run.\n');
  // Stopping waits until it is gone.
  assert.equal(startTicksOf(second), undefined);
});

test('questions about the service do not start it', async () => {
  await using home = await newHome();

  const codes = [
    await takt(['service', 'status'], { env: home.env }),
    await takt(['job', 'list'], { env: home.env }),
  ].map(({ code }) => code);
  await takt(['__complete', 'workspace', 'show', ''], { env: home.env });

  assert.deepEqual(codes, [69, 69]);
  assert.ok(!existsSync(join(home.folder, '.state', 'takt.sock')));
});

test('a service that cannot start says why', async () => {
  await using home = await newHome();
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };

  const { code, stderr } = await takt(['workspace', 'list'], { env: { ...home.env, TAKT_PORT: String(port) } });
  taken.close();

  assert.equal(code, 69);
  assert.match(stderr, new RegExp(`${port}[\\s\\S]*takt: The service did not start\\.`));
});

test('run keeps the service in the terminal until it is told to end, and logs shows what it did', async () => {
  await using home = await newHome();
  const child = startTakt(['service', 'run'], { env: home.env });
  const ended = ending(child);
  // Another command waits for the socket by starting nothing: the home is locked.
  while ((await takt(['service', 'status'], { env: home.env })).code !== 0) assert.equal(child.exitCode, null);

  child.kill('SIGTERM');
  const { code } = await ended;
  const logs = await takt(['service', 'logs', '-n', '5'], { env: home.env });

  assert.equal(code, 0);
  assert.equal(logs.code, 0);
  assert.match(logs.stdout, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d info/m);
});

test('open prints a one-time link where there is no display', async () => {
  await using home = await newHome();

  const { code, stdout } = await takt(['open'], { env: home.env });

  assert.equal(code, 0);
  assert.match(stdout, /^http:\/\/127\.0\.0\.1:\d+\/\S+\n$/);
});

test('doctor looks at everything, and fails only where something needed is broken', async () => {
  await using home = await newHome();
  interface Report {
    isWorking: boolean;
    checks: { name: string; state: string; found: string; fix: string }[];
  }
  const doctor = async (env: Record<string, string>): Promise<{ code: number | null; report: Report }> => {
    const { code, stdout } = await takt(['doctor', '--json'], { env });
    return { code, report: JSON.parse(stdout) as Report };
  };

  const fine = await doctor(home.env);
  writeFileSync(join(home.folder, 'config', 'settings.yaml'), 'on_new_push: never\n');
  const broken = await doctor(home.env);
  const text = await takt(['doctor'], { env: home.env });

  const namesOf = ({ report }: { report: Report }): string[] => report.checks.map(({ name }) => name);
  for (const name of ['Node', 'git', 'bubblewrap', 'disk', 'port', 'home', 'config', 'model access', 'Claude Code'])
    assert.ok(namesOf(fine).includes(name), name);
  assert.deepEqual([fine.code, fine.report.isWorking], [0, true], JSON.stringify(fine.report.checks));
  assert.equal(broken.code, 1);
  assert.match(broken.report.checks.find(({ name }) => name === 'config')!.found, /settings\.yaml.*on_new_push/);
  assert.match(text.stdout, /✗ config/);
});

test('doctor names the folders that were put aside, with their size and what removes them', async () => {
  await using home = await newHome();
  const aside = join(home.folder, 'runs', 'task-1.kept-1700000000000');
  mkdirSync(join(aside, 'app'), { recursive: true });
  writeFileSync(join(aside, 'app', 'a.txt'), 'x'.repeat(2048));
  mkdirSync(join(home.folder, 'runs', 'task-2'));

  const { stdout } = await takt(['doctor'], { env: home.env });

  assert.ok(stdout.includes(`! kept folders  work that could not be pinned: ${aside} (2.0 KiB)\n`), stdout);
  assert.ok(stdout.includes(`remove what you need no more: rm -rf ${aside}\n`), stdout);
});
