/**
 * A run that is cancelled while the disk of its home is full. To be run as root of mount and user namespaces of its own,
 * since it mounts a small disk; prints what was said as JSON.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Run } from '../../src/contract/run.ts';
import { openHousehold } from '../driver/household.ts';
import { until } from '../driver/until.ts';

const disk = await mkdtemp(join(tmpdir(), 'takt-full-'));
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk]);
try {
  const folder = join(disk, 'house');
  await mkdir(folder);
  await using household = await openHousehold({}, { folder });
  await household.ok('repo', 'add', 'app', await household.upstream('app', { 'a.txt': 'a\n' }));
  await household.ok('workspace', 'create', 'task', 'app');
  await household.ok('workspace', 'pipeline-set', 'task', 'run:sleep 600');
  await household.ok('workspace', 'trigger', 'task');
  const show = (): Promise<Run> => household.json<Run>('run', 'show', 'task');
  await until('the step to run', async () => ((await show()).steps.at(-1)?.state === 'running' ? true : undefined));
  const before = (await show()).heldUp ?? null;

  const filler = join(folder, 'filler');
  await fillUp(filler);
  const refused = await household.takt('run', 'cancel', 'task');
  const amid = (await show()).heldUp ?? null;
  const page = await household.ok('run', 'show', 'task');
  await rm(filler);
  const cancelled = await household.takt('run', 'cancel', 'task');
  const ended = await until('its end', async () => {
    const run = await show();
    return run.state === 'running' ? undefined : run;
  });
  const facts = {
    before,
    refused,
    amid,
    page,
    cancelled: cancelled.code,
    state: ended.state,
    after: ended.heldUp ?? null,
  };
  process.stdout.write(JSON.stringify(facts));
} finally {
  execFileSync('umount', [disk]);
  await rmdir(disk);
}

/** Writes until there is no room for one byte more. */
async function fillUp(file: string): Promise<void> {
  for (const size of [1024 * 1024, 4096, 1]) {
    for (;;) {
      try {
        await writeFile(file, Buffer.alloc(size), { flag: 'a' });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        break;
      }
    }
  }
}
