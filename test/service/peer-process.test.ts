import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { probeConfinement } from '../../src/confinement/probe.ts';
import { testUsers } from '../confinement/test-user.ts';

const READ = join(import.meta.dirname, 'read-from-walls.ts');
const { why } = await probeConfinement({ signal: AbortSignal.timeout(10_000) });

for (const user of testUsers) {
  test(
    `as ${user.name}, confined work does not read from the service, whose user does`,
    { skip: user.skip || why || false },
    async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'takt-peer-'));
      t.after(() => rm(folder, { recursive: true, force: true }));
      user.own(folder);
      const [program, ...args] = user.command([process.execPath, READ, folder]);

      const { stdout } = await promisify(execFile)(program!, args, {
        cwd: '/',
        env: { PATH: process.env['PATH'], HOME: folder },
      });

      assert.deepEqual(JSON.parse(stdout), { outside: '200', inside: '403' });
    },
  );
}
