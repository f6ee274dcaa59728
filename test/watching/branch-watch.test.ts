import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { startBranchWatch } from '../../src/bin/watch/branch-watch.ts';
import { homeLayout } from '../../src/platform/home-layout.ts';
import { until } from '../driver/until.ts';
import { limit, newScratch, newUpstream, run } from '../git/scratch.ts';

test('while the reader is behind nobody looks, and once it is not, nothing is missing', async () => {
  using scratch = newScratch();
  const layout = homeLayout(scratch.folder);
  mkdirSync(layout.roots);
  const upstream = newUpstream(scratch.path('upstream'));
  run(layout.roots, 'clone', '--quiet', '--bare', upstream, layout.root('app'));
  const told: string[] = [];
  const reader = Promise.withResolvers<void>();
  let asked = 0;
  let isBehind = true;
  using _watch = await startBranchWatch(
    {
      layout,
      repos: [],
      everyMs: 20,
      usesFileSystem: true,
      onMoves: (moves) => told.push(...moves.map(({ branch, to }) => `${branch} ${to === null ? 'gone' : 'there'}`)),
      untilRead() {
        asked += 1;
        return isBehind ? reader.promise : undefined;
      },
      onNote: (sentence) => assert.fail(sentence),
    },
    limit(),
  );

  for (const name of ['one', 'two']) run(layout.root('app'), 'branch', name, 'main');
  run(layout.root('app'), 'branch', '-D', 'one');
  await until('it to ask for the reader', () => (asked > 1 ? true : undefined));
  const before = [...told];
  isBehind = false;
  reader.resolve();
  await until('the branch', () => (told.length > 0 ? true : undefined));

  assert.deepEqual(before, []);
  assert.deepEqual(told, ['two there']);
});
