import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { scriptedService, sendFault } from './scripted-service.ts';
import { takt, taktInTerminal } from './takt-process.ts';

const workspaces = [
  {
    name: 'feature-auth',
    folder: '/h/workspaces/feature-auth',
    repos: [
      { name: 'app', role: 'edit' },
      { name: 'lib', role: 'read' },
    ],
    steps: ['test', 'review'],
    createdAtMs: 0,
    task: null,
    pulls: 'open',
    latestRun: { id: 'run_1', number: 3, state: 'waiting' },
  },
];

test('a list is a table for people and the reply itself with --json', async () => {
  await using service = await scriptedService({ 'workspace.list': () => ({ workspaces }) });
  const env = { TAKT_HOME: service.home };

  const table = await takt(['workspace', 'list'], { env });
  const json = await takt(['workspace', 'list', '--json'], { env });

  assert.deepEqual(JSON.parse(json.stdout), { workspaces });
  assert.match(
    table.stdout,
    /^NAME +LATEST RUN +PULL REQUESTS +REPOS +PIPELINE +MADE\nfeature-auth +\? #3 waits for you +open +app, lib \(read\) +test → review +/,
  );
  assert.ok(!table.stdout.includes('\u001b'), 'no colours without a terminal');
  assert.deepEqual([table.code, table.stderr, json.code], [0, '', 0]);
});

test('an empty list says what makes the first entry', async () => {
  await using service = await scriptedService({
    'workspace.list': () => ({ workspaces: [] }),
    'run.list': () => ({ runs: [] }),
    'repo.list': () => ({ repos: [] }),
  });
  const env = { TAKT_HOME: service.home };

  for (const noun of ['workspace', 'run', 'repo'])
    assert.match((await takt([noun, 'list'], { env })).stdout, /^No .*`takt /);
});

test('a terminal gets colours and is not overrun, and NO_COLOR takes the colours away', async () => {
  const long = {
    ...workspaces[0],
    repos: Array.from({ length: 40 }, (_, at) => ({ name: `repository-${at}`, role: 'edit' })),
  };
  await using service = await scriptedService({ 'workspace.list': () => ({ workspaces: [long] }) });

  const colourful = await taktInTerminal(['workspace', 'list'], { env: { TAKT_HOME: service.home } });
  const plain = await taktInTerminal(['workspace', 'list'], { env: { TAKT_HOME: service.home, NO_COLOR: '1' } });

  assert.ok(colourful.screen.includes('\u001b[1mfeature-auth'));
  assert.ok(!plain.screen.includes('\u001b'));
  assert.ok(plain.screen.includes('…'));
  for (const line of plain.screen.split('\n')) assert.ok([...line].length <= 100, line);
});

test('parameters travel in the path, the query and the body', async () => {
  await using service = await scriptedService({
    'run.list': () => ({ runs: [] }),
    'run.cancel': ({ params }) => ({
      run: 'run_1',
      state: 'cancelled',
      number: 3,
      workspace: String(params['run']).split('/')[0],
    }),
    'setting.set': ({ params }) => ({ ...params, isDefault: false, about: '', hash: '' }),
  });
  const env = { TAKT_HOME: service.home };

  await takt(['run', 'list', '-w', 'a b', '--limit', '5'], { env });
  await takt(['run', 'cancel', 'feature/3'], { env });
  await takt(['setting', 'set', 'model.default', 'opus & more'], { env });

  assert.deepEqual(
    service.received.map(({ operation, params }) => [operation, params]),
    [
      ['run.list', { workspace: 'a b', limit: '5' }],
      ['run.cancel', { run: 'feature/3' }],
      ['setting.set', { key: 'model.default', value: 'opus & more' }],
    ],
  );
});

test('a fault prints its words, gives its exit code, and is JSON on standard error with --json', async () => {
  const fault = {
    code: 'WORKSPACE_NOT_FOUND',
    message: 'There is no workspace nope.',
    hint: 'Look again.',
    detail: 'git said\nso',
  };
  await using service = await scriptedService({ 'workspace.show': (_, reply) => sendFault(reply, 404, fault) });
  const env = { TAKT_HOME: service.home };

  const people = await takt(['workspace', 'show', 'nope'], { env });
  const machine = await takt(['workspace', 'show', 'nope', '--json'], { env });

  assert.equal(people.stderr, '  | git said\n  | so\ntakt: There is no workspace nope.\n      Look again.\n');
  assert.deepEqual(JSON.parse(machine.stderr), { fault });
  assert.deepEqual([people.code, people.stdout, machine.code, machine.stdout], [4, '', 4, '']);
});

test('an answer that is not the service’s is shown as what it is', async () => {
  await using service = await scriptedService({
    'repo.list': (_, reply) => void reply.writeHead(502).end('<html>proxy</html>'),
  });

  const { code, stderr } = await takt(['repo', 'list'], { env: { TAKT_HOME: service.home } });

  assert.equal(code, 70);
  assert.match(stderr, /<html>proxy<\/html>\ntakt: The service answered with status 502/);
});

test('the progress of a job goes to standard error, and nothing of it with --json', async () => {
  const lines = [
    { progress: { label: 'app', text: 'Receiving objects', percent: 10 } },
    { progress: { label: 'app', text: 'Receiving objects', percent: 90 } },
    { progress: { label: 'lib', text: 'Resolving deltas', percent: null } },
    { reply: { results: [{ repo: 'app', changed: 2, fault: null }] } },
  ];
  await using service = await scriptedService({
    'repo.fetch': (_, reply) => void reply.end(lines.map((line) => `${JSON.stringify(line)}\n`).join('')),
  });
  const env = { TAKT_HOME: service.home };

  const people = await takt(['repo', 'fetch', '--all'], { env });
  const machine = await takt(['repo', 'fetch', '--all', '--json'], { env });

  assert.equal(people.stderr, 'app: Receiving objects 10 %\nlib: Resolving deltas\n');
  assert.equal(people.stdout, '✓ app: 2 branches changed\n');
  assert.deepEqual(
    [machine.stderr, JSON.parse(machine.stdout)],
    ['', { results: [{ repo: 'app', changed: 2, fault: null }] }],
  );
  assert.equal(service.received[0]!.accept, 'application/x-ndjson');
});

test('a job that fails ends with its fault, and so does one whose connection breaks', async () => {
  const broken = { fault: { code: 'UPSTREAM_DENIED', message: 'No.', hint: '' } };
  await using service = await scriptedService({
    'repo.add': (_, reply) => void reply.end(`${JSON.stringify(broken)}\n`),
    'repo.fetch': (_, reply) =>
      void reply.write('{"progress":{"label":"a","text":"b","percent":null}}\n', () => reply.destroy()),
  });
  const env = { TAKT_HOME: service.home };

  assert.equal((await takt(['repo', 'add', 'app', 'x'], { env })).code, 7);
  const { code, stderr } = await takt(['repo', 'fetch', 'app'], { env });
  assert.equal(code, 69);
  assert.match(stderr, /broke off/);
});

test('a fetch of which a part failed says so by its exit code', async () => {
  const results = [
    { repo: 'app', changed: 0, fault: null },
    { repo: 'lib', changed: 0, fault: { code: 'UPSTREAM_MISSING', message: 'Gone.', hint: 'Look.' } },
  ];
  await using service = await scriptedService({
    'repo.fetch': (_, reply) => void reply.end(`${JSON.stringify({ reply: { results } })}\n`),
  });

  const { code, stdout } = await takt(['repo', 'fetch', '--all'], { env: { TAKT_HOME: service.home } });

  assert.equal(code, 7);
  assert.match(stdout, /✗ lib: Gone\.\n {4}Look\./);
});

test('--file hands on the text of a file or of standard input', async () => {
  await using service = await scriptedService({
    'workspace.pipeline-set': () => ({ workspace: 'feature', pipeline: { steps: [] }, yaml: '', hash: '' }),
    'role.set': () => ({ name: 'review', purpose: '', prompt: '', hash: '' }),
  });
  const folder = mkdtempSync(join(tmpdir(), 'takt-cli-'));
  writeFileSync(join(folder, 'p.yaml'), 'steps: []\n');
  const env = { TAKT_HOME: service.home };

  await takt(['workspace', 'pipeline-set', 'feature', '--file', 'p.yaml'], { env, cwd: folder });
  await takt(['role', 'set', 'review', '--file', '-', '--hash', 'none'], { env, input: 'Look closely.\n' });
  const missing = await takt(['role', 'set', 'review', '--file', 'nowhere', '--hash', 'none'], { env });
  rmSync(folder, { recursive: true });

  assert.deepEqual(
    service.received.map(({ params }) => params),
    [
      { workspace: 'feature', yaml: 'steps: []\n', file: 'p.yaml' },
      { role: 'review', text: 'Look closely.\n', hash: 'none' },
    ],
  );
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /nowhere does not exist/);
});

test('TAKT_URL and TAKT_TOKEN lead to a service over TCP, --home back to one on this machine', async () => {
  await using service = await scriptedService({ 'repo.list': () => ({ repos: [] }) });
  const away = { TAKT_URL: service.url, TAKT_TOKEN: 'secret' };

  const remote = await takt(['repo', 'list'], { env: away });
  const nobody = await takt(['repo', 'list'], { env: { TAKT_URL: 'http://127.0.0.1:9' } });
  const local = await takt(['repo', 'list', '--home', service.home], { env: { TAKT_URL: 'http://127.0.0.1:9' } });

  assert.deepEqual([remote.code, local.code, nobody.code], [0, 0, 69]);
  assert.deepEqual(
    service.received.map(({ authorization }) => authorization),
    ['Bearer secret', undefined],
  );
  assert.match(nobody.stderr, /No service answers at http:\/\/127\.0\.0\.1:9/);
});

test('a service of another home than the one that TAKT_HOME names is refused', async () => {
  await using service = await scriptedService({ 'repo.list': () => ({ repos: [] }) });
  await using other = await scriptedService({});
  writeFileSync(join(other.home, '.state', 'service.json'), '{"homeId":"home_other"}');

  const { code, stderr } = await takt(['repo', 'list'], { env: { TAKT_URL: service.url, TAKT_HOME: other.home } });

  assert.equal(code, 5);
  assert.match(stderr, /belongs to another home/);
});

test('a folder that is no home is refused with the command that makes one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'takt-cli-'));

  const list = await takt(['workspace', 'list'], { env: { TAKT_HOME: folder } });
  const start = await takt(['service', 'start'], { env: { TAKT_HOME: folder } });
  rmSync(folder, { recursive: true });

  assert.deepEqual([list.code, start.code], [4, 4]);
  assert.match(list.stderr, /is not a home of takt\.\n {6}`takt init` makes one/);
});
