import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { findAttemptProcesses } from '../../src/platform/attempt-processes.ts';
import { pause } from '../../src/platform/wait.ts';
import { findAttempt } from '../../src/store/attempts.ts';
import { eventsAfter } from '../../src/store/events.ts';
import { lastLines } from '../../src/store/last-lines.ts';
import { readOutput, storedBytes } from '../../src/store/output.ts';
import { upstreamHead } from '../../src/store/upstream-heads.ts';
import { openEngineHome } from './engine-home.ts';

const COMMIT = 'a'.repeat(40);

/** Waits for something that no event tells of. */
async function until(what: string, look: () => boolean | Promise<boolean>, limitMs = 20_000): Promise<void> {
  const signal = AbortSignal.timeout(limitMs);
  while (!(await look())) {
    if (signal.aborted) throw new Error(`waited in vain: ${what}`);
    await pause(10, signal);
  }
}

test('an attempt ends with its outcome, its whole output and nothing in the spool', async () => {
  await using home = await openEngineHome();
  await using engine = home.openEngine();
  const request = home.request(home.newRun(), { lines: 5_000, outcome: { exitCode: 0 } });

  await engine.ensureStarted(request);
  const ended = await engine.awaitOutcome(request.attempt);

  assert.equal(ended.state, 'passed');
  assert.equal(ended.isSealed, true);
  const printed = readOutput(home.database, request.attempt, 0, 10_000_000).toString().trimEnd().split('\n');
  assert.deepEqual(
    printed.map((line) => (JSON.parse(line) as { text: string }).text),
    Array.from({ length: 5_000 }, (_, index) => `line ${index}\n`),
  );
  assert.equal(ended.outputBytes, storedBytes(home.database, request.attempt));
  assert.equal(home.sizes.get(request.attempt), ended.outputBytes);
  assert.deepEqual(lastLines(home.database, request.attempt, 2), ['line 4998', 'line 4999']);
  await until('the spool is empty', () => readdirSync(home.spool).length === 0);
});

test('each change of an attempt is an event', async () => {
  await using home = await openEngineHome();
  await using engine = home.openEngine();
  const request = home.request(home.newRun(), {
    outcome: { pushed: [{ repo: 'app' as never, commit: COMMIT as never }] },
  });

  await engine.ensureStarted(request);
  await engine.awaitOutcome(request.attempt);

  const events = eventsAfter(home.database, 0, 100);
  assert.deepEqual(
    events.map((event) => event.data['state'] ?? event.topic).filter((state) => state !== 'running'),
    ['starting', 'passed', 'push.update'],
  );
  assert.equal(upstreamHead(home.database, 'app', 'work'), COMMIT);
});

test('output is in the store while the attempt still works', async () => {
  await using home = await openEngineHome();
  await using engine = home.openEngine();
  const go = join(home.folder, 'go');
  const request = home.request(home.newRun(), { lines: 300, until: go });

  await engine.ensureStarted(request);
  await until('300 lines', () => lastLines(home.database, request.attempt, 1)[0] === 'line 299');

  assert.equal(findAttempt(home.database, request.attempt)?.isSealed, false);
  await writeFile(go, '');
  assert.equal((await engine.awaitOutcome(request.attempt)).state, 'passed');
});

test('starting an attempt twice gives it one host', async () => {
  await using home = await openEngineHome();
  await using engine = home.openEngine();
  const request = home.request(home.newRun(), { lines: 10 });

  await engine.ensureStarted(request);
  await engine.ensureStarted(request);
  await engine.awaitOutcome(request.attempt);
  await engine.ensureStarted(request);

  assert.equal(lastLines(home.database, request.attempt, 100).length, 10);
});

test('a host that is killed makes its attempt interrupted within a second, and what it left is dead', async () => {
  await using home = await openEngineHome();
  await using engine = home.openEngine();
  const request = home.request(home.newRun(), { lines: 7, leaves: true, dies: 'after' });

  await engine.ensureStarted(request);
  const ended = await engine.awaitOutcome(request.attempt);

  assert.equal(ended.state, 'interrupted');
  assert.equal(ended.reason?.class, 'host_gone');
  assert.equal(lastLines(home.database, request.attempt, 100).length, 7);
  assert.deepEqual(findAttemptProcesses(request.attempt), []);
});

test('a host that never takes its attempt is started again, and in the end that is said', async () => {
  await using home = await openEngineHome();
  await using engine = home.openEngine();
  const request = home.request(home.newRun(), { dies: 'before' });

  await engine.ensureStarted(request);
  const ended = await engine.awaitOutcome(request.attempt);

  assert.equal(ended.state, 'broken');
  assert.match(ended.reason?.sentence ?? '', /did not start/);
});

test('an attempt that is cancelled ends through its outcome, with what it printed', async () => {
  await using home = await openEngineHome();
  await using engine = home.openEngine();
  const request = home.request(home.newRun(), { lines: 3, until: join(home.folder, 'never') });

  await engine.ensureStarted(request);
  await until('it prints', () => storedBytes(home.database, request.attempt) > 0);
  await engine.cancel(request.attempt, 'superseded');
  await engine.cancel(request.attempt, 'cancelled');
  const ended = await engine.awaitOutcome(request.attempt);

  assert.equal(ended.state, 'superseded');
  assert.equal(lastLines(home.database, request.attempt, 100).length, 3);
});

test('an attempt that is cancelled before its host came never begins', async () => {
  await using home = await openEngineHome();
  await using engine = home.openEngine();
  const request = home.request(home.newRun(), { dies: 'before' });

  await engine.ensureStarted(request);
  await engine.cancel(request.attempt, 'cancelled');
  const ended = await engine.awaitOutcome(request.attempt);

  assert.equal(ended.state, 'cancelled');
});

for (const damage of ['outcome', 'length'] as const) {
  test(`a damaged ${damage} breaks the attempt and nothing else`, async () => {
    await using home = await openEngineHome();
    await using engine = home.openEngine();
    const request = home.request(home.newRun(), { lines: 4, damage });
    const other = home.request(home.newRun(), { lines: 4 });

    await engine.ensureStarted(request);
    await engine.ensureStarted(other);
    const ended = await engine.awaitOutcome(request.attempt);

    assert.equal(ended.state, 'broken');
    assert.equal(ended.reason?.class, 'internal');
    assert.equal(lastLines(home.database, request.attempt, 100).length, 4);
    assert.equal((await engine.awaitOutcome(other.attempt)).state, 'passed');
  });
}

test('an engine that goes away leaves the hosts at work, and the next one takes up each of them', async () => {
  await using home = await openEngineHome();
  const go = join(home.folder, 'go');
  const working = home.request(home.newRun(), { lines: 250, until: go });
  const done = home.request(home.newRun(), { lines: 250 });
  {
    await using first = home.openEngine();
    await first.ensureStarted(working);
    await first.ensureStarted(done);
    await until('both hosts have their attempt', () =>
      [working, done].every(
        ({ attempt }) => existsSync(join(home.spool, attempt, 'taken')) || !existsSync(join(home.spool, attempt)),
      ),
    );
  }

  await using second = home.openEngine();
  await second.recover();
  await writeFile(go, '');
  const ends = await Promise.all([second.awaitOutcome(working.attempt), second.awaitOutcome(done.attempt)]);

  assert.deepEqual(
    ends.map((end) => [end.state, lastLines(home.database, end.id, 1000).length]),
    [
      ['passed', 250],
      ['passed', 250],
    ],
  );
});

test('twenty attempts at once lose no line', async () => {
  await using home = await openEngineHome();
  await using engine = home.openEngine();
  const requests = Array.from({ length: 20 }, () => home.request(home.newRun(), { lines: 1_000 }));

  for (const request of requests) await engine.ensureStarted(request);
  const ends = await Promise.all(requests.map(({ attempt }) => engine.awaitOutcome(attempt)));

  for (const end of ends) {
    assert.equal(end.state, 'passed');
    const lines = readOutput(home.database, end.id, 0, 10_000_000).toString().split('\n').length - 1;
    assert.equal(lines, 1_000);
  }
});

test('while the store takes nothing the output waits in the spool, and the engine lives on', async () => {
  await using home = await openEngineHome();
  await using engine = home.openEngine();
  const go = join(home.folder, 'go');
  const request = home.request(home.newRun(), { lines: 2_000, until: go });
  const { page_count: pages } = home.database.prepare('PRAGMA page_count').get() as { page_count: number };
  home.database.connection.exec(`PRAGMA max_page_count = ${pages + 3}`);

  await engine.ensureStarted(request);
  await until('it is said', () => home.said.some((sentence) => sentence.includes('stays in the spool')));
  assert.match(await readFile(join(home.spool, request.attempt, 'output.ndjson'), 'utf8'), /line 1999/);
  home.database.connection.exec('PRAGMA max_page_count = 1000000');
  await writeFile(go, '');
  const ended = await engine.awaitOutcome(request.attempt);

  assert.equal(ended.state, 'passed');
  assert.equal(readOutput(home.database, request.attempt, 0, 10_000_000).toString().split('\n').length - 1, 2_000);
});
