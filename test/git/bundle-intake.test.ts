import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { Fault } from '../../src/contract/faults.ts';
import { openBundleFrames } from '../../src/git/bundle-frames.ts';
import { takeInBundle } from '../../src/git/take-in-bundle.ts';
import { commit, limit, newRoot, newScratch, run, type Scratch } from './scratch.ts';

const names = { run: 'run_0000000000000001', attempt: 'att_0000000000000001' };

/** A clone of the root repo, in which a test makes a bundle by hand. */
async function hostile(scratch: Scratch): Promise<{ root: string; start: string; clone: string; bundle: string }> {
  const { root, start } = await newRoot(scratch);
  run(scratch.folder, 'clone', '--quiet', '--branch=task', root, 'clone');
  return { root, start, clone: scratch.path('clone'), bundle: scratch.path('evil.bundle') };
}

/** Takes a bundle in, which has to be refused, and shows that the root repo's refs are as before. */
async function isRefused(
  root: string,
  p: { head: string | null; leftover: string | null; bundleFile: string | null },
  how: RegExp,
): Promise<void> {
  const before = run(root, 'for-each-ref');

  await assert.rejects(takeInBundle({ rootFolder: root, ...names, ...p, signal: limit() }), (error) => {
    assert.ok(error instanceof Fault && error.code === 'GIT_FAILED');
    assert.match(`${error.message} ${error.detail}`, how);
    return true;
  });

  assert.equal(run(root, 'for-each-ref'), before);
}

test('a bundle that brings other refs is refused', async () => {
  using scratch = newScratch();
  const { root, start, clone, bundle } = await hostile(scratch);
  const head = commit(clone, { x: 'x' });
  run(clone, 'update-ref', 'refs/takt-out/head', head);
  run(clone, 'update-ref', 'refs/heads/main', head);
  run(clone, 'bundle', 'create', '--quiet', bundle, 'refs/takt-out/head', 'refs/heads/main', `^${start}`);

  await isRefused(root, { head, leftover: null, bundleFile: bundle }, /refs\/heads\/main/);
});

test('a bundle with another commit than its frame says is refused', async () => {
  using scratch = newScratch();
  const { root, start, clone, bundle } = await hostile(scratch);
  const claimed = commit(clone, { x: 'x' });
  run(clone, 'update-ref', 'refs/takt-out/head', commit(clone, { y: 'y' }));
  run(clone, 'bundle', 'create', '--quiet', bundle, 'refs/takt-out/head', `^${start}`);

  await isRefused(root, { head: claimed, leftover: null, bundleFile: bundle }, /holds refs\/takt-out\/head/);
});

test('a head that is no commit is refused', async () => {
  using scratch = newScratch();
  const { root, clone, bundle } = await hostile(scratch);
  writeFileSync(`${clone}/blob`, 'blob');
  const blob = run(clone, 'hash-object', '-w', 'blob');
  run(clone, 'update-ref', 'refs/takt-out/head', blob);
  run(clone, 'bundle', 'create', '--quiet', bundle, 'refs/takt-out/head');

  await isRefused(root, { head: blob, leftover: null, bundleFile: bundle }, /no commit/);
});

test('an object that the checks of git refuse does not get into the root repo', async () => {
  using scratch = newScratch();
  const { root, start, clone, bundle } = await hostile(scratch);
  const tree = run(clone, 'rev-parse', 'HEAD^{tree}');
  writeFileSync(
    `${clone}/raw`,
    `tree ${tree}\nparent ${start}\nauthor no-email-here\ncommitter x <x> 1 +0000\n\nbad\n`,
  );
  const head = run(clone, 'hash-object', '-w', '-t', 'commit', '--literally', 'raw');
  run(clone, 'update-ref', 'refs/takt-out/head', head);
  run(clone, 'bundle', 'create', '--quiet', bundle, 'refs/takt-out/head', `^${start}`);

  await isRefused(root, { head, leftover: null, bundleFile: bundle }, /missingEmail/);
  // Without the checks it would have come in.
  run(root, 'fetch', '--quiet', bundle, 'refs/takt-out/head:refs/takt/control');
});

test('a bundle that builds on what the root repo lacks, what is no bundle, and none at all are refused', async () => {
  using scratch = newScratch();
  const { root, clone, bundle } = await hostile(scratch);
  const lacked = commit(clone, { x: 'x' });
  const head = commit(clone, { y: 'y' });
  run(clone, 'update-ref', 'refs/takt-out/head', head);
  run(clone, 'bundle', 'create', '--quiet', bundle, 'refs/takt-out/head', `^${lacked}`);
  writeFileSync(scratch.path('noise'), 'x'.repeat(2000));

  await isRefused(root, { head, leftover: null, bundleFile: bundle }, /builds on/);
  await isRefused(root, { head, leftover: null, bundleFile: scratch.path('noise') }, /./);
  await isRefused(root, { head, leftover: null, bundleFile: null }, /not in it/);
});

const oid = 'a'.repeat(40);
const wrongStreams: Record<string, string> = {
  'one that breaks off in a bundle': `takt-out app ${oid} - 100\nshort`,
  'one without its end': 'takt-out app - - 0\n',
  'a path as a name': `takt-out ../app ${oid} - 0\ntakt-out-end\n`,
  'a size without an end': `takt-out app ${oid} - 99999999999999999\n`,
  'a bundle above the limit': `takt-out app ${oid} - 2000\n${'x'.repeat(2000)}takt-out-end\n`,
  'a repo that comes twice': 'takt-out app - - 0\ntakt-out app - - 0\ntakt-out-end\n',
  'a head that is no commit': 'takt-out app HEAD - 0\ntakt-out-end\n',
  'noise without a line feed': 'x'.repeat(10_000),
  'a line of something else': 'hello\n',
};

for (const [what, text] of Object.entries(wrongStreams)) {
  test(`a stream of frames is refused: ${what}`, async () => {
    using scratch = newScratch();
    const reading = async (): Promise<void> => {
      for await (const _ of openBundleFrames(Readable.from([Buffer.from(text)]), {
        folder: scratch.folder,
        limitBytes: 1000,
      }))
        continue;
    };

    await assert.rejects(reading, { name: 'Fault', code: 'GIT_FAILED' });
  });
}

test('frames are read whole however the stream is cut into chunks', async () => {
  using scratch = newScratch();
  const text = `takt-out app ${oid} - 5\nab\ncdtakt-out lib - - 0\ntakt-out-end\n`;
  for (const size of [1, 3, 7, 1000]) {
    const folder = scratch.path(String(size));
    mkdirSync(folder);
    const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
      Buffer.from(text.slice(index * size, (index + 1) * size)),
    );

    const repos: string[] = [];
    for await (const frame of openBundleFrames(Readable.from(chunks), { folder }))
      repos.push(`${frame.repo} ${frame.head} ${frame.bundleFile === null}`);

    assert.deepEqual(repos, [`app ${oid} false`, 'lib null true']);
    assert.deepEqual(readdirSync(folder), ['app.bundle']);
  }
});
