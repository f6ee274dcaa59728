import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptedService } from './scripted-service.ts';
import { takt, taktInTerminal } from './takt-process.ts';

const deleted = {
  deleted: 'feature',
  pins: [{ repo: 'app', ref: 'refs/takt/deleted/feature', commit: 'a'.repeat(40) }],
};
const start = '1'.repeat(40);
const head = '2'.repeat(40);
const run = {
  id: 'run_0123456789abcdef',
  workspace: 'feature',
  number: 4,
  repos: [
    { repo: 'app', role: 'edit', start, head, landed: null },
    { repo: 'lib', role: 'read', start, head: start, landed: null },
  ],
};

test('what cannot be taken back needs --yes where nobody can be asked', async () => {
  await using service = await scriptedService({ 'workspace.delete': () => deleted });
  const env = { TAKT_HOME: service.home };

  const refused = await takt(['workspace', 'delete', 'feature'], { env });
  const done = await takt(['workspace', 'delete', 'feature', '--yes'], { env });

  assert.equal(refused.code, 6);
  assert.match(refused.stderr, /deletes the workspace feature.*nobody can be asked here\.\n {6}Repeat with --yes\./);
  assert.match(
    done.stdout,
    /Deleted the workspace feature\.\nIts unsaved work is pinned in the root repos:\n {2}app {2}aaaaaaaa {2}refs/,
  );
  assert.equal(service.received.length, 1);
});

test('on a terminal it asks, and only yes goes on', async () => {
  await using service = await scriptedService({ 'workspace.delete': () => deleted });
  const env = { TAKT_HOME: service.home };

  const no = await taktInTerminal(['workspace', 'delete', 'feature'], { env, input: '\n' });
  const nothingSent = service.received.length;
  const yes = await taktInTerminal(['workspace', 'delete', 'feature'], { env, input: 'y\n' });

  assert.match(no.screen, /This deletes the workspace feature[\s\S]*Do it\? \[y\/N\][\s\S]*Nothing was done\./);
  assert.deepEqual([no.code, nothingSent, yes.code], [1, 0, 0]);
  assert.match(yes.screen, /Deleted the workspace feature/);
});

test('an approval is for the commits that were shown', async () => {
  await using service = await scriptedService({
    'run.show': () => run,
    'run.approve': () => ({ run: run.id, state: 'running', number: 4, workspace: 'feature' }),
  });

  const { screen, code } = await taktInTerminal(['run', 'approve', 'feature'], {
    env: { TAKT_HOME: service.home },
    input: 'yes\n',
  });

  assert.equal(code, 0);
  assert.match(screen, /feature\/4 go on with these commits:\n {2}app {2}11111111 → 22222222\n/);
  assert.deepEqual(service.received.at(-1)!.params, { run: run.id, commits: { app: head } });
});
