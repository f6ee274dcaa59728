import assert from 'node:assert/strict';
import test from 'node:test';
import { holderAmong } from '../../src/bin/doctor/service-state.ts';

/** The 12th file of a disk 0:0x4f, as `stat` gives it. */
const LOCK = { dev: 0x4fn, ino: 12n };
const line = (pid: number, place: string): string => `1: FLOCK  ADVISORY  WRITE ${pid} ${place} 0 EOF\n`;

test('a lock of another disk whose file has the same inode is nobody’s here', () => {
  const isOpenIn = (pid: number): boolean | undefined => (pid === 8 ? undefined : false);
  const others = line(7, '00:50:12') + line(8, '00:50:12') + line(0, '00:50:12') + line(9, '01:4f:12');

  assert.equal(holderAmong(others, LOCK, isOpenIn), undefined);
  assert.equal(holderAmong(others + line(8, '00:4f:12'), LOCK, isOpenIn), 8);
});

test('whoever has the lock file open is its holder, also where the kernel names another device', () => {
  const locks = line(7, '00:50:12') + line(8, '00:50:12');

  assert.equal(
    holderAmong(locks, LOCK, (pid) => pid === 8),
    8,
  );
});

test('a holder that is not to be seen is told of without a process', () => {
  assert.deepEqual(
    [line(0, '00:4f:12'), line(-1, '00:4f:12'), line(7, '00:4f:12')].map((locks) =>
      holderAmong(locks, LOCK, () => false),
    ),
    [0, 0, 0],
  );
});

test('devices with large numbers are compared whole', () => {
  const dev = (0x1n << 44n) | (0x3n << 8n) | (0x1n << 20n) | 0x2n;

  assert.equal(
    holderAmong(line(7, '1003:102:12'), { dev, ino: 12n }, () => undefined),
    7,
  );
});
