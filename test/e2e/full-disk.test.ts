import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { reasonAgainstMounts, testNeeding } from '../driver/machine.ts';

const test = testNeeding('unshare', 'mount');
const skip = reasonAgainstMounts();

test('a run that cannot be ended since the disk is full says so, and ends once there is room', { skip }, async () => {
  const scenario = join(import.meta.dirname, 'full-disk-scenario.ts');
  const namespaces = ['--user', '--map-root-user', '--mount', process.execPath, scenario];

  const { stdout } = await promisify(execFile)('unshare', namespaces, { timeout: 120_000 });

  const said = JSON.parse(stdout);
  assert.deepEqual([said.before, said.after, said.state, said.cancelled], [null, null, 'cancelled', 0]);
  assert.equal(said.refused.code, 7);
  assert.match(said.refused.stderr, /^takt: The disk of the home is full\./);
  assert.match(said.amid, /^The disk of \S+ is full: /);
  assert.match(said.page, /held up {5}The disk of \S+ is full: /);
});
