import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { reasonAgainstMounts, testNeeding } from '../driver/machine.ts';
import { PROJECT } from '../driver/household.ts';
import type { Report } from './doctor-report.ts';

const test = testNeeding('unshare', 'mount');
const skip = reasonAgainstMounts();

/** What doctor says, as JSON, at each `examine` of a shell script that may mount disks of its own on `$disk`. */
async function scenario(script: string): Promise<Report[]> {
  const disk = await mkdtemp(join(tmpdir(), 'takt-disk-'));
  const examine = `examine() { "$node" "$takt" --home "$disk/home" doctor --json "$@" || test $? = 1; echo '==='; }`;
  const lines = ['set -e', 'takt() { "$node" "$takt" "$@" > /dev/null; }', examine, script].join('\n');
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: '/nonexistent',
    disk,
    node: process.execPath,
    takt: join(PROJECT, 'dist', 'takt.js'),
  };
  const words = ['--user', '--map-root-user', '--mount', 'sh', '-c', lines];
  try {
    const { stdout } = await promisify(execFile)('unshare', words, { env, timeout: 120_000 });
    return stdout
      .split('===\n')
      .slice(0, -1)
      .map((text) => JSON.parse(text) as Report);
  } finally {
    await rmdir(disk);
  }
}

const of = ({ checks }: Report, name: string): Report['checks'][number] => checks.find((check) => check.name === name)!;

test('a disk without room is broken, with and without --fix, and all else is looked at', { skip }, async () => {
  const [before, full, tried, after] = await scenario(`
    mount -t tmpfs -o size=300m tmpfs "$disk"
    takt init "$disk/home"
    examine
    rmdir "$disk/home/context"
    head -c 400000000 /dev/zero > "$disk/filler" 2> /dev/null || true
    examine
    examine --fix
    rm "$disk/filler"
    examine --fix
  `);

  assert.match(of(before!, 'disk').found, /^(29\d|300)\.\d MiB/);
  assert.deepEqual(
    [before, full, tried, after].map((report) => of(report!, 'disk').state),
    ['warning', 'broken', 'broken', 'warning'],
  );
  assert.match(of(full!, 'disk').found, /^0 B and \d+ files free for /);
  assert.deepEqual(of(full!, 'folders').state, 'warning');
  assert.equal(of(full!, 'config').state, 'ok');
  assert.equal(of(after!, 'folders').state, 'ok');
  assert.equal(full!.checks.length, before!.checks.length);
});

test('a file system without room for files is broken, though bytes are free', { skip }, async () => {
  const [few] = await scenario(`
    mount -t tmpfs -o size=6g,nr_inodes=300 tmpfs "$disk"
    takt init "$disk/home"
    examine
  `);

  assert.equal(of(few!, 'disk').state, 'broken');
  assert.match(of(few!, 'disk').found, /^6\.0 GiB and 2\d\d files free for /);
});

test('each file system that the home reaches over is told of', { skip }, async () => {
  const [two] = await scenario(`
    mount -t tmpfs -o size=6g tmpfs "$disk"
    takt init "$disk/home"
    mount -t tmpfs -o size=100m tmpfs "$disk/home/runs"
    examine
  `);

  assert.equal(of(two!, 'disk').state, 'broken');
  assert.match(
    of(two!, 'disk').found,
    /6\.0 GiB and \d+ files free for \S+\/home, root, workspaces, \.state; 100\.0 MiB and \d+ files free for runs/,
  );
});
