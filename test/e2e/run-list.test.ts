import assert from 'node:assert/strict';
import test from 'node:test';
import { openHousehold } from '../driver/household.ts';

test('the runs of a workspace that never was are not found; one without runs has none', async () => {
  await using household = await openHousehold();
  await household.ok('repo', 'add', 'app', await household.upstream('app', { 'file.txt': 'text\n' }));
  await household.ok('workspace', 'create', 'task', 'app');

  const unknown = await household.takt('run', 'list', '--workspace', 'nosuch');
  const none = await household.json<{ runs: unknown[] }>('run', 'list', '--workspace', 'task');

  assert.equal(unknown.code, 4, unknown.stdout);
  assert.match(unknown.stderr, /No workspace nosuch/);
  assert.deepEqual(none, { runs: [] });
});
