import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyedLock, type LockKeys } from '../../src/service/keyed-lock.ts';
import { createLatch } from '../../src/service/latch.ts';
import { createOneTimeLinks } from '../../src/service/http/one-time-links.ts';
import { severalAtATime } from '../../src/platform/several-at-a-time.ts';

const never = new AbortController().signal;
/** All that can begin now has begun. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Begins work that goes on until it is let go. */
function begin(
  lock: ReturnType<typeof createKeyedLock>,
  name: string,
  keys: LockKeys,
  began: string[],
  signal = never,
): { end: () => void; done: Promise<void> } {
  const gate = Promise.withResolvers<void>();
  const done = lock.hold(keys, signal, async () => {
    began.push(name);
    await gate.promise;
  });
  return { end: gate.resolve, done };
}

test('work on the same thing comes one after the other, in order, and other work side by side', async () => {
  const lock = createKeyedLock();
  const began: string[] = [];

  const first = begin(lock, 'first', { exclusive: ['a'] }, began);
  const second = begin(lock, 'second', { exclusive: ['a', 'b'] }, began);
  const third = begin(lock, 'third', { exclusive: ['b'] }, began);
  const other = begin(lock, 'other', { exclusive: ['c'] }, began);
  await turn();
  const soFar = [...began];
  first.end();
  await first.done;
  second.end();
  await second.done;

  assert.deepEqual(soFar, ['first', 'other']);
  assert.deepEqual(began, ['first', 'other', 'second', 'third']);
  third.end();
  other.end();
});

test('those that only look on do so together, but not past a change that waits', async () => {
  const lock = createKeyedLock();
  const began: string[] = [];

  const one = begin(lock, 'one', { shared: ['a'] }, began);
  const two = begin(lock, 'two', { shared: ['a'] }, began);
  const change = begin(lock, 'change', { exclusive: ['a'] }, began);
  begin(lock, 'three', { shared: ['a'] }, began);
  await turn();
  const soFar = [...began];
  one.end();
  two.end();
  await Promise.all([one.done, two.done]);
  change.end();
  await change.done;

  assert.deepEqual(soFar, ['one', 'two']);
  assert.deepEqual(began, ['one', 'two', 'change', 'three']);
});

test('whoever gives up waiting makes room, and work that fails frees its keys', async () => {
  const lock = createKeyedLock();
  const began: string[] = [];
  const leaving = new AbortController();
  const failing = lock.hold({ exclusive: ['a'] }, never, () => Promise.reject(new Error('broken')));
  const patient = begin(lock, 'patient', { exclusive: ['a'] }, began, leaving.signal);
  const last = begin(lock, 'last', { exclusive: ['a'] }, began);

  leaving.abort(new Error('left'));

  await assert.rejects(failing, /broken/);
  await assert.rejects(patient.done, /left/);
  last.end();
  await last.done;
  assert.deepEqual(began, ['last']);
});

test('the queue has a bound', async () => {
  const lock = createKeyedLock();
  const held = begin(lock, 'held', { exclusive: ['a'] }, []);
  const waiting = Array.from({ length: 100 }, () => begin(lock, 'waiting', { exclusive: ['a'] }, []));

  await assert.rejects(
    lock.hold({ exclusive: ['a'] }, never, async () => undefined),
    { code: 'WORKSPACE_BUSY' },
  );
  held.end();
  for (const { end, done } of waiting) {
    end();
    await done;
  }
});

test('a latch that was set before the wait is not lost, and ends with its limit or its signal', async () => {
  const latch = createLatch();
  const leaving = new AbortController();

  latch.set();
  const before = await latch.wait(10_000, never);
  const limit = await latch.wait(1, never);
  const left = latch.wait(10_000, leaving.signal);
  leaving.abort();

  assert.deepEqual([before, limit, await left], [true, false, false]);
});

test('several at a time keeps to its limit, and a failure ends the others before it is thrown', async () => {
  let atOnce = 0;
  let most = 0;
  const doubled = await severalAtATime([1, 2, 3, 4, 5], { limit: 2, signal: never }, async (item) => {
    atOnce += 1;
    most = Math.max(most, atOnce);
    await turn();
    atOnce -= 1;
    return item * 2;
  });
  let isCleanedUp = false;
  const failing = severalAtATime(['bad', 'long', 'never begun'], { limit: 2, signal: never }, async (item, signal) => {
    assert.notEqual(item, 'never begun');
    if (item === 'bad') throw new Error('bad');
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    isCleanedUp = true;
  });

  assert.deepEqual([doubled, most], [[2, 4, 6, 8, 10], 2]);
  await assert.rejects(failing, /bad/);
  assert.equal(isCleanedUp, true);
});

test('a link works once, and not after a minute', () => {
  let nowMs = 1_000;
  const links = createOneTimeLinks(() => nowMs);
  const [one, late] = [links.create(), links.create()];

  assert.deepEqual([links.take(one.once), links.take(one.once), links.take('guessed')], [true, false, false]);
  nowMs += 60_001;
  assert.equal(links.take(late.once), false);
});
