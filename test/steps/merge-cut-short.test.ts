import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { attemptRefs } from '../../src/contract/attempt.ts';
import { watchUntil } from '../../src/platform/wait.ts';
import { makeFifo } from '../git/scratch.ts';
import { testNeeding } from '../driver/machine.ts';
import { gitIn, type MergeHome, newMergeHome } from './merge-home.ts';

const test = testNeeding('bwrap');

/**
 * A merge that gets stuck while it writes files: the content of the second one is a pipe that nobody writes to, for
 * which git waits. The root repo has that content from the beginning, so that it is in no pack, which git would prefer.
 * `unstick` takes the pipe away.
 */
async function stuckHome(t: { after(work: () => void): void }): Promise<MergeHome & { unstick(): void }> {
  const home = newMergeHome(t, { repos: ['app', 'lib'], files: { 'a.txt': 'one\n' } });
  for (const repo of ['app', 'lib']) home.ours(repo, { 'own.txt': `own of ${repo}\n` });
  for (const repo of ['app', 'lib']) home.theirs(repo, { 'first.txt': 'first\n', 'second.txt': 'one\n' });
  await home.setUp(home.request({ step: 'setup' as never, work: { kind: 'setup' } }));
  const blob = gitIn(home.upstream('lib'), ['rev-parse', 'main:second.txt']);
  const object = join(home.runFolder, 'lib', '.git', 'objects', blob.slice(0, 2), blob.slice(2));
  mkdirSync(join(object, '..'), { recursive: true });
  makeFifo(object);
  return { ...home, unstick: () => rmSync(object) };
}

/** Starts the merge and waits until it is done with `app` and stuck in `lib`. */
async function startStuck(home: MergeHome) {
  const attempt = home.attempt(home.request());
  const host = attempt.startHost({ HOME: home.layout.home });
  const lib = join(home.runFolder, 'lib');
  await watchUntil(lib, () => Promise.resolve(existsSync(join(lib, 'second.txt')) ? true : undefined), {
    signal: AbortSignal.timeout(60_000),
    everyMs: 20,
  });
  return { ...attempt, host };
}

function assertAtStart(home: MergeHome): void {
  for (const repo of ['app', 'lib']) {
    assert.equal(home.inWorktree(repo, 'rev-parse', 'HEAD'), home.git(repo, 'rev-parse', 'task'));
    assert.equal(home.inWorktree(repo, 'status', '--porcelain'), '');
    assert.equal(existsSync(join(home.runFolder, repo, '.git', 'index.lock')), false);
    assert.equal(existsSync(join(home.runFolder, repo, 'first.txt')), false);
  }
}

test('a host that is killed while it writes merged files: the next attempt begins at the recorded commits', async (t) => {
  const home = await stuckHome(t);
  const cut = await startStuck(home);
  const work = await cut.untilWork();
  process.kill(cut.host.pid ?? 0, 'SIGKILL');
  await once(cut.host, 'exit');
  await watchUntil('/proc', () => Promise.resolve(existsSync(`/proc/${work.pid}`) ? undefined : true), {
    signal: AbortSignal.timeout(10_000),
    everyMs: 20,
  });
  assert.equal(existsSync(join(home.runFolder, 'app', 'second.txt')), true);
  assert.equal(readFileSync(join(home.runFolder, 'lib', 'second.txt'), 'utf8'), '');
  home.unstick();

  const { outcome, text, id } = await home.merge({ number: 2, restore: true });

  assert.equal(existsSync(join(cut.folder, 'outcome.json')), false);
  assert.equal(outcome.state, 'passed', text());
  for (const { repo, head, leftover } of outcome.repos) {
    assert.equal(leftover, null);
    assert.equal(home.git(repo, 'rev-parse', `${attemptRefs(home.run, id)}/head`), head);
    assert.equal(home.git(repo, 'show', `${head}:second.txt`), 'one');
    assert.equal(home.git(repo, 'show', `${head}:own.txt`), `own of ${repo}`);
    assert.equal(home.inWorktree(repo, 'status', '--porcelain'), '');
  }
});

test('a cancelled merge takes the worktrees back to where it began, and pins nothing', async (t) => {
  const home = await stuckHome(t);
  const cut = await startStuck(home);

  writeFileSync(join(cut.folder, 'cancel.json'), '{"reason":"cancelled"}');
  const outcome = await cut.untilOutcome();

  assert.equal(outcome.state, 'cancelled', cut.text());
  assert.deepEqual(
    outcome.repos.map(({ head, leftover }) => [head, leftover]),
    [
      [null, null],
      [null, null],
    ],
  );
  assertAtStart(home);
});

test('a merge can be cancelled while it waits for an upstream that says nothing', async (t) => {
  const home = newMergeHome(t, { repos: ['app'] });
  await home.setUp(home.request({ step: 'setup' as never, work: { kind: 'setup' } }));
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const asked = once(silent, 'connection');
  const { port } = silent.address() as { port: number };
  const { repos = [], ...request } = home.request();
  const attempt = home.attempt({
    ...request,
    repos: repos.map((repo) => ({ ...repo, upstream: `http://127.0.0.1:${port}/app.git` })),
  });
  attempt.startHost({ HOME: home.layout.home });
  const [socket] = await asked;

  writeFileSync(join(attempt.folder, 'cancel.json'), '{"reason":"cancelled"}');
  const outcome = await attempt.untilOutcome();

  socket.destroy();
  silent.close();
  assert.equal(outcome.state, 'cancelled', attempt.text());
  assert.equal(readFileSync(join(home.runFolder, 'app', 'README.md'), 'utf8'), 'app\n');
});
