import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lenderOf, whatUpstreamLacks } from '../../src/git/lend-objects.ts';
import { type NormalClone, readClone } from '../../src/git/normal-clone.ts';
import { createRoot } from '../../src/git/root-repo.ts';
import { commit, limit, newScratch, newUpstream, run, type Scratch, write } from './scratch.ts';

async function newClone(scratch: Scratch): Promise<{ upstream: string; clone: NormalClone }> {
  const upstream = newUpstream(scratch.path('upstream'));
  run(scratch.folder, 'clone', '--quiet', '--no-local', upstream, 'clone');
  const clone = await readClone(scratch.folder, scratch.path('clone'), { signal: limit() });
  assert.ok(clone !== null);
  return { upstream, clone };
}

test('a mirror that is given up while a clone lends leaves nothing', async () => {
  using scratch = newScratch();
  const { upstream, clone } = await newClone(scratch);
  mkdirSync(scratch.path('root'));
  const abort = new AbortController();
  const onProgress = (text: string): void => {
    if (text.endsWith(', from the clone')) abort.abort(new Error('enough'));
  };
  const lender = lenderOf(clone, 'origin', { signal: abort.signal, onProgress });

  const making = createRoot({ folder: scratch.path('root', 'app'), upstream, lender, signal: abort.signal });

  await assert.rejects(making, /enough/);
  assert.deepEqual(readdirSync(scratch.path('root')), []);
});

test('a clone that git cannot read costs nothing but its help', async () => {
  using scratch = newScratch();
  const { upstream, clone } = await newClone(scratch);
  const packs = join(clone.gitFolder, 'objects', 'pack');
  for (const name of readdirSync(packs)) {
    chmodSync(join(packs, name), 0o644);
    writeFileSync(join(packs, name), 'no pack');
  }
  const lender = lenderOf(clone, 'origin', { signal: limit() });

  const { head } = await createRoot({ folder: scratch.path('root'), upstream, lender, signal: limit() });

  assert.equal(head, run(upstream, 'rev-parse', 'main'));
  assert.equal(lender.hasLent(), false);
  assert.equal(run(scratch.path('root'), 'for-each-ref', 'refs/takt'), '');
  run(scratch.path('root'), 'fsck');
});

test('a branch counts as released if a branch of upstream leads to it, whatever its name', async () => {
  using scratch = newScratch();
  const { upstream, clone } = await newClone(scratch);
  const own = scratch.path('clone');
  run(own, 'branch', 'merged-long-ago');
  run(own, 'checkout', '--quiet', '-b', 'released');
  commit(own, { released: 'x' });
  run(own, 'push', '--quiet', 'origin', 'released:other-name');
  run(own, 'checkout', '--quiet', '-b', 'taken-back');
  commit(own, { back: 'x' });
  run(own, 'push', '--quiet', 'origin', 'taken-back');
  run(upstream, 'branch', '-D', 'taken-back');
  run(own, 'checkout', '--quiet', '-b', 'ahead', 'released');
  commit(own, { ahead: 'x' });
  const lender = lenderOf(clone, 'origin', { signal: limit() });
  await createRoot({ folder: scratch.path('root'), upstream, lender, signal: limit() });

  const lacking = await whatUpstreamLacks(scratch.path('root'), clone, { signal: limit() });

  assert.deepEqual(lacking, { branches: ['ahead', 'taken-back'], detachedHead: null, hasStashes: false });
});

test('commits without a branch and stashes are what upstream lacks as well, unless a branch holds them', async () => {
  using scratch = newScratch();
  const { upstream } = await newClone(scratch);
  const own = scratch.path('clone');
  await createRoot({ folder: scratch.path('root'), upstream, signal: limit() });
  const lacking = async (): Promise<unknown> => {
    const clone = await readClone(scratch.folder, own, { signal: limit() });
    return whatUpstreamLacks(scratch.path('root'), clone!, { signal: limit() });
  };

  run(own, 'checkout', '--quiet', '--detach');
  const released = await lacking();
  const apart = commit(own, { apart: 'x' });
  write(join(own, 'apart'), 'changed');
  run(own, 'stash', '--quiet');
  const alone = await lacking();
  run(own, 'branch', 'holds-it');
  const held = await lacking();

  assert.deepEqual(released, { branches: [], detachedHead: null, hasStashes: false });
  assert.deepEqual(alone, { branches: [], detachedHead: apart, hasStashes: true });
  assert.deepEqual(held, { branches: ['holds-it'], detachedHead: null, hasStashes: true });
});
