import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { test } from 'node:test';
import { commit } from '../git/scratch.ts';
import { watchedHome } from './watched-home.ts';

test('a push never hangs: without a FIFO, without a reader, and with a full one', async () => {
  await using home = await watchedHome();
  const clone = home.clone('app');
  const push = (text: string): void => {
    commit(clone, { x: text });
    const { status, error } = spawnSync('git', ['push', '--quiet'], { cwd: clone, timeout: 20_000 });
    assert.deepEqual([status, error], [0, undefined], text);
  };
  await home.stop();

  push('no reader');
  const full = openSync(home.layout.pokeFifo, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    assert.throws(
      () => {
        for (;;) writeSync(full, 'x'.repeat(4096));
      },
      { code: 'EAGAIN' },
    );
    push('a full one');
    // The poke that waits gets its place, so that no process stays behind.
    assert.throws(
      () => {
        for (;;) readSync(full, Buffer.alloc(65_536));
      },
      { code: 'EAGAIN' },
    );
  } finally {
    closeSync(full);
  }
  rmSync(home.layout.pokeFifo);
  push('none');
  assert.equal(existsSync(home.layout.pokeFifo), false, 'the hook does not make a file in its place');
  renameSync(home.layout.pushSpool, `${home.layout.pushSpool}-away`);
  push('no spool');
});

test('the hook works under any umask and leaves the spool to its owner', async () => {
  await using home = await watchedHome();
  const clone = home.clone('app');
  await home.stop();
  commit(clone, { x: 'x' });
  spawnSync('sh', ['-c', 'umask 0777; git push --quiet'], { cwd: clone });
  const before = home.seenOf('app').get('task');

  await home.start();

  assert.notEqual(home.seenOf('app').get('task'), before);
  await home.untilTrue(() => readdirSync(home.layout.pushSpool).length === 0);
});
