import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEventBus } from '../../src/service/event-bus.ts';
import { createJobs } from '../../src/service/jobs.ts';
import { startKeepingEvents } from '../../src/service/keep-events.ts';
import type { ServiceParts } from '../../src/service/parts.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { appendEvent, eventsAfter } from '../../src/store/events.ts';

const never = new AbortController().signal;
const ignore = (): void => undefined;
const quiet: ServiceParts['log'] = { info: ignore, warn: ignore, error: ignore };

test('a job tells of itself by events, can be cancelled once, and stays in the list', async () => {
  const database = openDatabase(':memory:');
  const jobs = createJobs({ database, bus: createEventBus(), log: quiet });
  const began = Promise.withResolvers<void>();

  const running = jobs.run({ operation: 'repo.add', title: 'repo add app', signal: never }, ({ signal, progress }) => {
    progress('app', 'Receiving objects', 40);
    began.resolve();
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  });
  await began.promise;
  const [during] = jobs.list();
  jobs.cancel(during!.id);

  await assert.rejects(running, { code: 'CANCELLED' });
  await Promise.resolve();
  assert.deepEqual([during!.state, during!.progress], ['running', [{ label: 'app', text: 'Receiving objects' }]]);
  assert.equal(jobs.list()[0]!.state, 'cancelled');
  assert.deepEqual(
    eventsAfter(database, 0, 10).map(({ data }) => data['state']),
    ['running', 'cancelled'],
  );
  assert.throws(() => jobs.cancel(during!.id), { code: 'JOB_NOT_FOUND' });
});

/** Fills the store until it takes no event more, as on a full disk; gives the function that makes room again. */
function fillUp(database: Database): () => void {
  const { connection } = database;
  // No smaller than what there is: SQLite takes that many pages then.
  connection.exec('PRAGMA max_page_count = 1');
  assert.throws(() => {
    for (;;) appendEvent(database, { topic: 'job.update', atMs: 0 });
  }, /full/);
  return () => connection.exec('PRAGMA max_page_count = 1000000');
}

test('a job that cannot be told of does not begin, and leaves nothing in the list', async () => {
  const database = openDatabase(':memory:');
  const jobs = createJobs({ database, bus: createEventBus(), log: quiet });
  const makeRoom = fillUp(database);
  let hasBegun = false;
  const ask = (): Promise<string> =>
    jobs.run({ operation: 'repo.fetch', title: 'repo fetch', signal: never }, async () => {
      hasBegun = true;
      return 'done';
    });

  await assert.rejects(ask(), /full/);
  const after = [hasBegun, jobs.list()];
  makeRoom();

  assert.deepEqual(after, [false, []]);
  assert.equal(await ask(), 'done');
});

test('a job whose end cannot be told has ended all the same', async () => {
  const database = openDatabase(':memory:');
  const said: string[] = [];
  const log = { ...quiet, warn: (_: unknown, sentence?: string) => said.push(sentence ?? '') };
  const jobs = createJobs({ database, bus: createEventBus(), log: log as ServiceParts['log'] });

  const result = await jobs.run({ operation: 'repo.fetch', title: 'repo fetch', signal: never }, async () => {
    fillUp(database);
    return 'done';
  });
  await Promise.resolve();

  assert.equal(result, 'done');
  assert.deepEqual([jobs.list()[0]!.state, said], ['done', ['the end of a job could not be told']]);
});

test('a store that is full does not keep the service from starting for the sake of old events', () => {
  const database = openDatabase(':memory:');
  appendEvent(database, { topic: 'job.update', atMs: 0 });
  database.connection.exec('PRAGMA query_only = 1');
  const said: string[] = [];
  const log = { ...quiet, warn: (_: unknown, sentence?: string) => said.push(sentence ?? '') };

  startKeepingEvents({ database, log: log as ServiceParts['log'] })();

  assert.deepEqual(said, ['events that are old could not be dropped']);
});
