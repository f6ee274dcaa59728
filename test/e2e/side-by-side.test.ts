import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import type { Run } from '../../src/contract/run.ts';
import { openHousehold, type Household } from '../driver/household.ts';
import { until } from '../driver/until.ts';

const REPOS = ['one', 'two', 'three'];

export const isFinal = (run: Run): boolean =>
  ['passed', 'failed', 'cancelled', 'superseded', 'rejected'].includes(run.state);

async function change(household: Household, workspace: string, repo: string): Promise<void> {
  const clone = household.clone(workspace, repo);
  await writeFile(join(clone, `${workspace}.txt`), 'a change\n');
  await household.git(clone, 'add', '-A');
  await household.git(clone, 'commit', '-q', '-m', `change of ${workspace}`);
}

test('two workspaces over the same three repos, pushed at the same moment, run side by side to the end', async () => {
  await using household = await openHousehold();
  for (const repo of REPOS)
    await household.ok('repo', 'add', repo, await household.upstream(repo, { 'file.txt': `${repo}\n` }));
  // Each run tells that it is there, and goes on only when the other is there too: one after the other would time out.
  const meet = (self: string, other: string): string =>
    `run:touch one/${self}; for repo in *; do test -d $repo && git -C $repo for-each-ref; done; sleep 2; echo ${self} ${other} met`;
  for (const [self, other] of [
    ['left', 'right'],
    ['right', 'left'],
  ] as const) {
    await household.ok('workspace', 'create', self, ...REPOS);
    await household.ok('workspace', 'pipeline-set', self, meet(self, other));
    for (const repo of REPOS) await change(household, self, repo);
  }
  await household.ok('setting', 'set', 'steps_at_once', '2');

  await Promise.all(
    ['left', 'right'].flatMap((workspace) =>
      REPOS.map((repo) => household.git(household.clone(workspace, repo), 'push', '-q')),
    ),
  );
  const runs = await Promise.all(
    ['left', 'right'].map((workspace) =>
      until(
        `the run of ${workspace} to end`,
        async () => {
          const said = await household.takt('run', 'show', workspace, '--json');
          const run = said.code === 0 ? (JSON.parse(said.stdout) as Run) : undefined;
          return run !== undefined && isFinal(run) ? run : undefined;
        },
        60_000,
      ),
    ),
  );

  const [left, right] = runs as [Run, Run];
  assert.deepEqual([left.state, right.state], ['passed', 'passed'], JSON.stringify([left.reason, right.reason]));
  assert.deepEqual([left.number, right.number], [1, 1], 'three pushes within the window are one run');
  const span = (run: Run): [number, number] => {
    const attempt = run.steps.find(({ kind }) => kind === 'command')!.attempts[0]!;
    return [attempt.startedAtMs, attempt.endedAtMs!];
  };
  assert.ok(span(left)[0] < span(right)[1] && span(right)[0] < span(left)[1], 'the steps overlap in time');
  const logs = await household.ok('run', 'logs', 'left');
  assert.doesNotMatch(logs, /refs\//, 'no ref at all, and so no foreign branch, is listed in a run worktree');
  assert.match(logs, /left right met/);
});
