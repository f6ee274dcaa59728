import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptedService, sendFault } from './scripted-service.ts';
import { openHousehold } from '../driver/household.ts';
import { takt, taktInTerminal } from './takt-process.ts';

const deleted = {
  deleted: 'feature',
  pins: [{ repo: 'app', ref: 'refs/takt/deleted/feature', commit: 'a'.repeat(40) }],
  aside: [{ from: 'NOTES.md', to: '/home/.state/aside/feature-beside-clones-1/NOTES.md' }],
  openPulls: [],
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

const shown = { 'workspace.show': () => ({ name: 'feature', repos: [{ name: 'app', role: 'edit' }] }) };
const calls = ({ received }: { received: readonly { operation: string }[] }): string[] =>
  received.map(({ operation }) => operation);

test('what cannot be taken back needs --yes where nobody can be asked', async () => {
  await using service = await scriptedService({ ...shown, 'workspace.delete': () => deleted });
  const env = { TAKT_HOME: service.home };

  const refused = await takt(['workspace', 'delete', 'feature'], { env });
  const done = await takt(['workspace', 'delete', 'feature', '--yes'], { env });

  assert.equal(refused.code, 6);
  assert.match(refused.stderr, /deletes the workspace feature.*nobody can be asked here\.\n {6}Repeat with --yes\./);
  assert.match(
    done.stdout,
    /Deleted the workspace feature\.\nIts unsaved work is pinned in the root repos:\n {2}app {2}aaaaaaaa {2}refs.*\nWhat they cannot hold was moved aside:\n {2}NOTES\.md {2}\/home\/\.state\/aside/,
  );
  assert.deepEqual(calls(service), ['workspace.show', 'workspace.delete']);
});

test('on a terminal it asks, and only yes goes on', async () => {
  await using service = await scriptedService({ ...shown, 'workspace.delete': () => deleted });
  const env = { TAKT_HOME: service.home };

  const no = await taktInTerminal(['workspace', 'delete', 'feature'], { env, input: '\n' });
  const beforeYes = calls(service);
  const yes = await taktInTerminal(['workspace', 'delete', 'feature'], { env, input: 'y\n' });

  assert.match(no.screen, /This deletes the workspace feature[\s\S]*Do it\? \[y\/N\][\s\S]*Nothing was done\./);
  assert.deepEqual([no.code, beforeYes, yes.code], [1, ['workspace.show'], 0]);
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

test('what is not there is said before anybody is asked', async () => {
  await using house = await openHousehold();
  const upstream = await house.upstream('app', { 'a.txt': 'a' });
  await house.ok('repo', 'add', 'app', upstream);
  await house.ok('repo', 'add', 'lib', upstream);
  await house.ok('workspace', 'create', 'task', 'app');
  const said = async (...words: string[]): Promise<string> => {
    const { code, stderr } = await house.takt(...words);
    return `${code} ${stderr.split('\n')[0]}`;
  };

  assert.equal(await said('repo', 'remove', 'ap'), '4 takt: No repo is called ap. Did you mean app?');
  assert.equal(await said('workspace', 'delete', 'tsk', '--force'), '4 takt: No workspace tsk.');
  assert.equal(await said('workspace', 'remove-repo', 'task', 'lib'), '4 takt: The workspace task has no repo lib.');
  assert.match(await said('run', 'land', 'task/3'), /^4 takt: /);
  assert.match(await said('run', 'approve', 'task'), /^4 takt: /);
  // The control: what is there is asked about.
  assert.match(await said('repo', 'remove', 'app'), /^6 takt: This removes the root repo app/);
  assert.match(await said('workspace', 'remove-repo', 'task', 'app'), /^6 takt: This removes app/);
  assert.match(await said('workspace', 'delete', 'task'), /^6 takt: This deletes the workspace task/);
});

test('what is damaged can be asked about all the same', async () => {
  await using service = await scriptedService({
    'repo.show': (_, reply) => sendFault(reply, 500, { code: 'GIT_FAILED', message: 'git failed.', hint: '' }),
  });

  const { code, stderr } = await takt(['repo', 'remove', 'app'], { env: { TAKT_HOME: service.home } });

  assert.equal(code, 6, stderr);
});
