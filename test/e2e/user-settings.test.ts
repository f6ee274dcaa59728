import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import type { RunSummary } from '../../src/contract/run.ts';
import { openHousehold } from '../driver/household.ts';
import { until } from '../driver/until.ts';

const HABITS = `[push]
	gpgSign = true
	pushOption = ci.skip
[remote]
	pushDefault = fork
[safe]
	bareRepository = explicit
[user]
	useConfigOnly = true
`;

test('settings of a user’s own that are meant for other repositories stop no push and no run', async () => {
  await using house = await openHousehold();
  const upstream = await house.upstream('app', { 'a.txt': 'a\n' });
  const configFile = join(house.environment['HOME']!, '.gitconfig');
  await writeFile(configFile, HABITS);
  await house.ok('repo', 'add', 'app', upstream);
  await house.ok('workspace', 'create', 'task', 'app');
  await house.ok('workspace', 'pipeline-set', 'task', 'run:grep b b.txt');
  const clone = house.clone('task', 'app');
  await writeFile(join(clone, 'b.txt'), 'b\n');
  await house.git(clone, 'add', '-A');
  await house.git(clone, 'commit', '-q', '-m', 'b');

  await house.git(clone, 'push', '-q');
  const ended = await until('the run', async () => {
    const { runs } = await house.json<{ runs: RunSummary[] }>('run', 'list');
    return runs.find(({ endedAtMs }) => endedAtMs !== null);
  });

  assert.equal(ended.state, 'passed');
  // The control: a clone that takt did not make is stopped by each of them.
  const other = join(house.folder, 'other');
  await house.git(house.folder, 'clone', '-q', house.root('app'), other);
  await assert.rejects(house.git(other, 'push', '-q', 'origin', 'HEAD:refs/heads/x'), /does not support --signed/);
  await assert.rejects(house.git(other, '-c', 'push.gpgSign=false', 'push', '-q'), /'fork' does not appear/);
  await assert.rejects(house.git(house.root('app'), 'rev-parse', 'main'), /safe\.bareRepository/);
});
