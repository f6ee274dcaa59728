import assert from 'node:assert/strict';
import { globSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CommitId } from '../../src/contract/ids.ts';
import { resumePull } from '../../src/git/resume-pull.ts';
import { pinCloneWork, unsavedWork } from '../../src/git/unsaved-work.ts';
import { cloned, land, type Place } from './cloned.ts';
import { limit, newScratch, operator, run, tryRunWith, write, type Scratch } from './scratch.ts';

const home = mkdtempSync(join(tmpdir(), 'takt-home-'));
after(() => rmSync(home, { recursive: true }));
const user = { GIT_CONFIG_GLOBAL: join(home, '.gitconfig') };
// takt's own git processes read what the user has set.
Object.assign(process.env, user);

/** Plain git as that user has it. */
function gitOf(clone: string, ...args: string[]): string {
  const { exitCode, stdout, stderr } = tryRunWith(user, clone, ...args);
  assert.equal(exitCode, 0, stderr);
  return stdout;
}

const sharedParts = (clone: string): string[] => globSync('.git/sharedindex.*', { cwd: clone });

const ways: Record<string, { settings: string; split: (clone: string) => void }> = {
  'by the user’s settings': {
    settings: '[core]\n\tsplitIndex = true\n',
    split: (clone) => void gitOf(clone, 'update-index', '--force-write-index'),
  },
  'in this clone alone': { settings: '', split: (clone) => void gitOf(clone, 'update-index', '--split-index') },
};

async function withSplitIndex(scratch: Scratch, { settings, split }: (typeof ways)[string]): Promise<Place> {
  writeFileSync(user.GIT_CONFIG_GLOBAL, settings);
  const place = await cloned(scratch);
  split(place.clone);
  assert.notDeepEqual(sharedParts(place.clone), []);
  return place;
}

/** Plain git reads it, also if the parts that were shared before are gone. */
function assertWhole(clone: string): void {
  for (const part of sharedParts(clone)) rmSync(join(clone, part));
  assert.equal(gitOf(clone, 'status', '--porcelain'), '');
}

for (const [how, way] of Object.entries(ways)) {
  test(`a clone whose index was split ${how} is whole after a pull`, async () => {
    using scratch = newScratch();
    const { clone, root, pull, status } = await withSplitIndex(scratch, way);
    const landed = land(root, { 'src/a.txt': 'landed\n', 'src/new.txt': 'new\n' }, scratch);

    const pulled = await pull();

    assert.deepEqual([pulled.state, pulled.to], ['pulled', landed]);
    assertWhole(clone);
    assert.deepEqual([(await status()).state, (await status()).dirty], ['ok', 0]);
  });

  test(`a clone whose index was split ${how} is whole after a pull that was cut short`, async () => {
    using scratch = newScratch();
    const { clone, root, start } = await withSplitIndex(scratch, way);
    const landed = land(root, { 'src/a.txt': 'landed\n', 'src/new.txt': 'new\n' }, scratch);
    write(join(clone, 'src/a.txt'), 'landed\n');
    for (const lock of ['index.lock', 'refs/heads/task.lock']) {
      write(join(clone, '.git', lock), '');
      utimesSync(join(clone, '.git', lock), 1_000_000_000, 1_000_000_000);
    }

    const others = await resumePull({
      folder: clone,
      rootFolder: root,
      branch: 'task',
      old: CommitId.parse(start),
      new: CommitId.parse(landed),
      lockedBeforeMs: Date.now(),
      aside: scratch.path('aside'),
      signal: limit(),
    });

    assert.deepEqual(others, []);
    assert.equal(run(clone, 'rev-parse', 'HEAD'), landed);
    assertWhole(clone);
  });

  test(`looking at a clone whose index was split ${how}, and pinning its work, changes nothing in it`, async () => {
    using scratch = newScratch();
    const { clone, root, status } = await withSplitIndex(scratch, way);
    write(join(clone, 'README.md'), 'edited\n');
    write(join(clone, 'new.txt'), 'new\n');
    const place = { folder: clone, rootFolder: root, branch: 'task', defaultBranch: 'main', signal: limit() };

    const { state, dirty } = await status();
    const unsaved = await unsavedWork({ ...place, upstreamHead: null });
    const [pin] = await pinCloneWork({ ...place, upstreamHead: null, refPrefix: 'refs/pins', author: operator });

    assert.deepEqual([state, dirty], ['ok', 2]);
    assert.deepEqual(unsaved, ['2 files are changed or untracked: README.md, new.txt.']);
    assert.equal(run(root, 'diff', '--name-only', 'task', pin!.commit), 'README.md\nnew.txt');
    assert.equal(gitOf(clone, 'status', '--porcelain'), ' M README.md\n?? new.txt\n');
  });
}
