import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openMoveQueue } from '../../src/bin/watch/move-queue.ts';
import type { BranchMove } from '../../src/service/watching/moves-between.ts';

const move = (index: number): BranchMove => ({ repo: 'app', branch: `b-${index}`, from: null, to: null });
const moves = (count: number, first = 0): BranchMove[] => Array.from({ length: count }, (_, i) => move(first + i));

test('a slow reader is waited for, and what was added meanwhile is printed in order', async () => {
  const taken = Promise.withResolvers<void>();
  const printed: string[] = [];
  const queue = openMoveQueue(
    async (some) => {
      await taken.promise;
      printed.push(...some.map(({ branch }) => branch));
    },
    (error) => assert.fail(String(error)),
  );

  queue.add(moves(999));
  const keepsUp = queue.untilRead();
  queue.add(moves(1, 999));
  const isBehind = queue.untilRead();
  taken.resolve();
  await isBehind;

  assert.equal(keepsUp, undefined);
  assert.notEqual(isBehind, undefined);
  assert.deepEqual(
    printed,
    moves(1000).map(({ branch }) => branch),
  );
  assert.equal(queue.untilRead(), undefined);
});

test('after printing has failed nothing more is printed, and nobody waits for ever', async () => {
  const failures: unknown[] = [];
  let calls = 0;
  const queue = openMoveQueue(
    async () => {
      calls += 1;
      throw new Error('no room');
    },
    (error) => failures.push(error),
  );

  queue.add(moves(600));
  queue.add(moves(600));
  await queue.untilPrinted();

  assert.deepEqual([calls, failures.map(String)], [1, ['Error: no room']]);
});
