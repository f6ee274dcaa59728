import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { scriptedService } from './scripted-service.ts';
import { ending, startTakt, takt } from './takt-process.ts';

let offset = 0;
const line = (step: string, attempt: string, output: object): string =>
  `${JSON.stringify({ step, attempt, offset: (offset += 1), line: { atMs: 0, ...output } })}\n`;

test('output is printed step by step, chunks of one stream joined, tools in one line each', async () => {
  const lines = [
    line('test', 'att_1', { kind: 'stdout', text: 'first ha' }),
    line('test', 'att_1', { kind: 'stdout', text: 'lf\nlast without end' }),
    line('test', 'att_1', { kind: 'stderr', text: 'bad \u001b]0;title\u0007\u001b[2Jthing\n' }),
    line('fix', 'att_2', { kind: 'text', text: 'I look.' }),
    line('fix', 'att_2', { kind: 'tool_call', id: '1', tool: 'Bash', input: { command: 'npm\ntest' } }),
    line('fix', 'att_2', {
      kind: 'tool_result',
      id: '1',
      isError: false,
      text: Array.from({ length: 9 }, (_, at) => `line ${at}`).join('\n'),
    }),
    line('fix', 'att_2', { kind: 'note', text: 'ended' }),
  ];
  await using service = await scriptedService({
    'run.logs': (_, reply) => void reply.end(lines.join('')),
    'run.show': () => ({ id: 'run_1', state: 'passed', steps: [] }),
  });
  const env = { TAKT_HOME: service.home };

  const people = await takt(['run', 'logs', 'feature', '-f', '--step', 'test'], { env });
  const machine = await takt(['run', 'logs', 'feature', '--json'], { env });

  assert.equal(
    people.stdout,
    [
      '── test att_1',
      'first half',
      'last without end',
      'bad thing',
      '',
      '── fix att_2',
      'I look.',
      '→ Bash npm test',
      '  line 0',
      '  line 1',
      '  line 2',
      '  line 3',
      '  line 4',
      '  line 5',
      '  … 3 more lines',
      'takt: ended',
      '',
    ].join('\n'),
  );
  assert.equal(machine.stdout, lines.join(''));
  const asked = service.received.map(({ operation, params }) => [operation, params]);
  assert.deepEqual(asked.slice(0, 2), [
    ['run.show', { run: 'feature' }],
    ['run.logs', { run: 'run_1', follow: 'true', step: 'test' }],
  ]);
});

test('events are printed as lines of JSON', async () => {
  const frames = [
    'retry: 1000\n\n',
    'id: e-1\nevent: run.update\ndata: {"id":"e-1"}\n\n',
    ': still here\n\n',
    'event: step.output\ndata: {"size":3}\n\n',
    'id: e-9\nevent: resync\ndata: {}\n\n',
  ];
  await using service = await scriptedService({
    async 'event.stream'(_, reply) {
      // Frames may be cut anywhere on their way.
      for (const letter of frames.join('')) await new Promise((resolve) => reply.write(letter, resolve));
      reply.end();
    },
  });

  const { stdout, code } = await takt(['events', '--topics', 'run.*'], { env: { TAKT_HOME: service.home } });

  // A script that reads events has to know that it missed what comes now.
  assert.equal(code, 69);
  assert.equal(stdout, '{"id":"e-1"}\n{"size":3}\n{"topic":"resync"}\n');
});

test('Ctrl-C closes the connection, which cancels the job, and says so', async () => {
  const arrived = Promise.withResolvers<ServerResponse>();
  await using service = await scriptedService({
    'repo.add': (_, reply) =>
      void reply.write('{"progress":{"label":"app","text":"copies","percent":1}}\n', () => arrived.resolve(reply)),
  });
  const child = startTakt(['repo', 'add', 'app', 'x'], { env: { TAKT_HOME: service.home } });
  const ended = ending(child);
  const reply = await arrived.promise;
  const closed = new Promise((resolve) => reply.once('close', resolve));

  child.kill('SIGINT');
  await closed;
  const { code, stderr } = await ended;

  assert.equal(code, 130);
  assert.match(stderr, /takt: Interrupted\.\n {6}The service was told to stop it/);
});

test('following goes on where it was when the service was away, and says each line once', async () => {
  const lines = [1, 2, 3].map((number) => line('test', 'att_1', { kind: 'stdout', text: `line ${number}\n` }));
  const states = ['running', 'passed'];
  let readings = 0;
  await using service = await scriptedService({
    'run.logs'(_, reply) {
      readings += 1;
      // The first reading ends as the stop of a service ends it, the second breaks off, the third is whole.
      reply.write(lines.slice(0, readings).join(''), () => (readings === 2 ? reply.destroy() : reply.end()));
    },
    'run.show': () => ({ id: 'run_1', state: states[readings === 3 ? 1 : 0], steps: [] }),
  });

  const { stdout, code } = await takt(['run', 'logs', 'feature', '-f'], { env: { TAKT_HOME: service.home } });

  assert.deepEqual([code, readings], [0, 3]);
  assert.equal(stdout, '── test att_1\nline 1\nline 2\nline 3\n');
});

test('Ctrl-C ends following without a word', async () => {
  const arrived = Promise.withResolvers<void>();
  await using service = await scriptedService({
    'run.logs': (_, reply) =>
      void reply.write(line('test', 'att_1', { kind: 'stdout', text: 'x\n' }), () => arrived.resolve()),
    'run.show': () => ({ id: 'run_1', state: 'running', steps: [] }),
  });
  const child = startTakt(['run', 'logs', 'feature', '-f'], { env: { TAKT_HOME: service.home } });
  const ended = ending(child);
  await arrived.promise;

  child.kill('SIGINT');

  assert.deepEqual(await ended.then(({ code, stderr }) => [code, stderr]), [130, '']);
});

test('a reader that goes away ends the command quietly', async () => {
  const long = { kind: 'stdout', text: `${'x'.repeat(1000)}\n` };
  const many = Array.from({ length: 2000 }, () => line('test', 'att_1', long)).join('');
  await using service = await scriptedService({ 'run.logs': (_, reply) => void reply.end(many) });
  const child = startTakt(['run', 'logs', 'feature'], { env: { TAKT_HOME: service.home } });
  child.stdout.once('data', () => child.stdout.destroy());
  const { code, stderr } = await ending(child);

  assert.deepEqual([code, stderr], [0, '']);
});

test('a service of another home is left at once, whatever it goes on to say', async () => {
  await using service = await scriptedService({
    // It never comes to its end.
    'run.logs': (_, reply) => void reply.write(line('test', 'att_1', { kind: 'stdout', text: 'not ours\n' })),
    'run.show': () => ({ id: 'run_1', state: 'running', steps: [] }),
  });
  await writeFile(join(service.home, '.state', 'service.json'), '{"homeId":"ours"}');

  const { code, stderr, stdout } = await takt(['run', 'logs', 'feature'], {
    env: { TAKT_HOME: service.home, TAKT_URL: service.url },
  });

  assert.deepEqual([code, stdout], [5, ''], stderr);
  assert.match(stderr, /belongs to another home/);
});
