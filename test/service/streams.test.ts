import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { serverSentEvents, type ServerSentEvent } from '../../src/client/server-sent-events.ts';
import { openDatabase, type Database } from '../../src/store/database.ts';
import { appendEvent, pruneEvents } from '../../src/store/events.ts';
import { createEventBus } from '../../src/service/event-bus.ts';
import { eventStream } from '../../src/service/http/events-stream.ts';
import { openService, type TestService } from './open-service.ts';

interface Reader {
  next(): Promise<ServerSentEvent>;
  close(): void;
}

async function readEvents(opened: TestService, query = '', headers: Record<string, string> = {}): Promise<Reader> {
  const outgoing = request({
    socketPath: opened.service.address.socket,
    path: `/api/events${query}`,
    headers,
    agent: false,
  }).end();
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  assert.equal(incoming.statusCode, 200);
  const frames = serverSentEvents(incoming.setEncoding('utf8'));
  return {
    async next() {
      const { value, done } = await frames.next();
      assert.ok(done !== true);
      return value;
    },
    close: () => void outgoing.destroy(),
  };
}

const setOption = (opened: TestService, value: string): Promise<unknown> =>
  opened.ask('/api/settings/max_turns', { method: 'PUT', body: { key: 'max_turns', value } });

test('events come as they happen, with ids that resume where a reader left', async () => {
  await using opened = await openService();
  const first = await readEvents(opened, '?topics=config.*');

  await setOption(opened, '11');
  const one = await first.next();
  first.close();
  await setOption(opened, '12');
  await setOption(opened, '13');
  const byHeader = await readEvents(opened, '?topics=config.*', { 'last-event-id': one.id! });
  const byQuery = await readEvents(opened, `?topics=config.*&after=${one.id}`);
  const resumed = [await byHeader.next(), await byHeader.next()];
  const again = await byQuery.next();

  assert.deepEqual(
    [one.event, JSON.parse(one.data).data],
    ['config.update', { file: 'config/settings.yaml', key: 'max_turns' }],
  );
  assert.equal(new Set([one.id, ...resumed.map(({ id }) => id)]).size, 3);
  assert.equal(again.id, resumed[0]!.id);
  byHeader.close();
  byQuery.close();
});

test('after=0 gives everything, and topics choose', async () => {
  await using opened = await openService();
  await setOption(opened, '11');

  const all = await readEvents(opened, '?after=0');
  const some = await readEvents(opened, '?after=0&topics=run.*,config.update');

  assert.equal((await all.next()).event, 'service.update');
  assert.equal((await all.next()).event, 'config.update');
  assert.equal((await some.next()).event, 'config.update');
  all.close();
  some.close();
});

test('an id that is unknown gets a resync and then what happens from now on; one that is none is refused', async () => {
  await using opened = await openService();
  await setOption(opened, '11');

  const wrong = await opened.ask('/api/events?after=yesterday');
  const reader = await readEvents(opened, '?after=0123456789abcdef-1');
  const resync = await reader.next();
  await setOption(opened, '12');
  const next = await reader.next();

  assert.deepEqual([wrong.status, wrong.body.fault.code], [400, 'INPUT_INVALID']);
  assert.equal(resync.event, 'resync');
  assert.equal(next.event, 'config.update');
  reader.close();
});

/** A stream read without HTTP, so that its reader decides when it takes the next text. */
function streamOf(
  database: Database,
  bus = createEventBus(),
  wanted: { topics?: string; after?: string; workspace?: string } = {},
) {
  const controller = new AbortController();
  const chunks = eventStream(
    { database, bus },
    { topics: '', ...wanted },
    { signal: controller.signal, lastEventId: undefined },
  )[Symbol.asyncIterator]();
  return { bus, stop: () => controller.abort(), next: async (): Promise<string> => (await chunks.next()).value };
}

const event = (n: number): Parameters<typeof appendEvent>[1] => ({
  topic: 'run.update',
  atMs: n,
  workspace: n % 2 === 0 ? 'even' : 'odd',
  data: { n },
});

test('an id that was pruned gets a resync', async () => {
  const database = openDatabase(':memory:');
  for (let n = 1; n <= 10; n += 1) appendEvent(database, event(n));
  const known = streamOf(database, undefined, { after: '0' });
  await known.next();
  const [, epoch] = /id: ([0-9a-f]+)-1\n/.exec(await known.next())!;
  pruneEvents(database, 6);

  const kept = streamOf(database, undefined, { after: `${epoch}-5` });
  const gone = streamOf(database, undefined, { after: `${epoch}-3` });

  assert.equal(await kept.next(), 'retry: 1000\n\n');
  assert.match(await kept.next(), /^id: \w+-6\n/);
  assert.match(await gone.next(), new RegExp(`id: ${epoch}-10\nevent: resync\n`));
});

test('a workspace can be chosen, and what is not chosen moves the place all the same', async () => {
  const database = openDatabase(':memory:');
  for (let n = 1; n <= 10; n += 1) appendEvent(database, event(n));
  const stream = streamOf(database, undefined, { after: '0', workspace: 'even' });

  await stream.next();
  const text = await stream.next();

  assert.deepEqual(
    [...text.matchAll(/"n":(\d+)/g)].map(([, n]) => n),
    ['2', '4', '6', '8', '10'],
  );
});

test('a slow reader gets events in batches from the store, and of a growing output only the newest size', async () => {
  const database = openDatabase(':memory:');
  const stream = streamOf(database, undefined, { after: '0' });
  await stream.next();
  for (let n = 1; n <= 1000; n += 1) appendEvent(database, event(n));

  const sizes: number[] = [];
  for (let batch = 0; batch < 5; batch += 1) sizes.push([...(await stream.next()).matchAll(/^id: /gm)].length);
  const grown = stream.next();
  for (let size = 1; size <= 500; size += 1)
    stream.bus.outputGrew({
      topic: 'step.output',
      attempt: 'att_1',
      run: 'run_1',
      workspace: 'even',
      step: 'test',
      size,
    });
  const frame = await grown;

  assert.deepEqual(sizes, [200, 200, 200, 200, 200]);
  assert.match(frame, /^event: step\.output\ndata: .*"size":500\}\n\n$/);
  stream.stop();
});

test('a reader of runs alone is not told of outputs', async () => {
  const database = openDatabase(':memory:');
  const stream = streamOf(database, undefined, { topics: 'run.*' });
  await stream.next();

  const next = stream.next();
  stream.bus.outputGrew({
    topic: 'step.output',
    attempt: 'att_1',
    run: 'run_1',
    workspace: 'even',
    step: 'test',
    size: 1,
  });
  appendEvent(database, event(2));
  stream.bus.wake();

  assert.match(await next, /^id: \w+-1\nevent: run\.update\n/);
  stream.stop();
});
