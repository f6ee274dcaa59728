import assert from 'node:assert/strict';
import { chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { commitFile, git, newHome, newUpstream, type TestHome } from './home.ts';
import { takt, taktInTerminal } from './takt-process.ts';

interface Task extends AsyncDisposable {
  readonly home: TestHome;
  readonly upstreams: Record<'app' | 'lib', string>;
  /** Commits in the clone of a repo and pushes to the root repo. */
  work(repo: 'app' | 'lib', text: string): string;
}

/** The workspace `feature` over `lib`, and `app`, which needs `lib`. */
async function newTask(): Promise<Task> {
  const folder = mkdtempSync(join(tmpdir(), 'takt-push-'));
  const upstreams = { app: newUpstream(folder, 'app'), lib: newUpstream(folder, 'lib') };
  const home = await newHome();
  for (const words of [
    ['repo', 'add', 'lib', upstreams.lib],
    ['repo', 'add', 'app', upstreams.app, '--depends-on', 'lib'],
    ['workspace', 'create', 'feature', 'app', 'lib'],
  ]) {
    const { code, stderr } = await home.takt(...words);
    assert.equal(code, 0, stderr);
  }
  return {
    home,
    upstreams,
    work(repo, text) {
      const clone = join(home.folder, 'workspaces', 'feature', repo);
      const commit = commitFile(clone, 'work.txt', text);
      git(clone, 'push', '-q');
      return commit;
    },
    async [Symbol.asyncDispose]() {
      await home[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

const upstreamBranch = (upstream: string): string =>
  git(upstream, 'branch', '--list', '--format=%(objectname)', 'feature');

test('push shows what would go out and sends exactly that, the needed repo first', async () => {
  await using task = await newTask();
  const nothing = await task.home.takt('push', 'feature');
  const app = task.work('app', 'one');
  const lib = task.work('lib', 'two');

  const dry = await task.home.takt('push', 'feature', '--dry-run');
  const unasked = await task.home.takt('push', 'feature');
  const before = [upstreamBranch(task.upstreams.app), upstreamBranch(task.upstreams.lib)];
  const pushed = await task.home.takt('push', 'feature', '--yes');
  const again = await task.home.takt('push', 'feature', '--yes');

  assert.match(nothing.stdout, /^Nothing to push/);
  assert.match(dry.stdout, /lib +1 commit +new branch +[0-9a-f]{8}[\s\S]*app +1 commit/);
  assert.match(dry.stdout, /work\.txt: one/);
  assert.deepEqual([dry.code, unasked.code, before], [0, 6, ['', '']]);
  assert.match(pushed.stdout, /✓ lib:[\s\S]*✓ app:/);
  assert.deepEqual([upstreamBranch(task.upstreams.app), upstreamBranch(task.upstreams.lib)], [app, lib]);
  assert.deepEqual(
    [again.code, again.stdout],
    [0, 'Nothing to push: by the last fetch, upstream has all commits of feature.\n'],
  );
});

test('on a terminal push asks, and no leaves upstream as it is', async () => {
  await using task = await newTask();
  const app = task.work('app', 'one');

  const no = await taktInTerminal(['push', 'feature'], { env: task.home.env, input: 'n\n' });
  const untouched = upstreamBranch(task.upstreams.app);
  const yes = await taktInTerminal(['push', 'feature'], { env: task.home.env, input: 'y\n' });

  assert.match(no.screen, /Push app\? \[y\/N\]/);
  assert.deepEqual([no.code, untouched, yes.code, upstreamBranch(task.upstreams.app)], [1, '', 0, app]);
});

test('a push that is refused half-way says what is out, and the same command goes on there', async () => {
  await using task = await newTask();
  const app = task.work('app', 'one');
  const lib = task.work('lib', 'two');
  const hook = join(task.upstreams.app, 'hooks', 'pre-receive');
  writeFileSync(hook, '#!/bin/sh\necho "not on a Friday" >&2\nexit 1\n');
  chmodSync(hook, 0o755);

  const refused = await task.home.takt('push', 'feature', '--yes');
  const between = [upstreamBranch(task.upstreams.lib), upstreamBranch(task.upstreams.app)];
  rmSync(hook);
  const goneOn = await takt(['push', 'feature', '--yes', '--json'], { env: task.home.env });

  assert.equal(refused.code, 7);
  assert.match(
    refused.stderr,
    /not on a Friday[\s\S]*takt: app: [\s\S]*lib went out before[\s\S]*`takt push feature` goes on/,
  );
  assert.deepEqual(between, [lib, '']);
  assert.equal(upstreamBranch(task.upstreams.app), app);
  const plan = JSON.parse(goneOn.stdout) as { repos: { repo: string; state: string }[] };
  assert.deepEqual(
    plan.repos.map(({ repo, state }) => [repo, state]),
    [
      ['lib', 'current'],
      ['app', 'current'],
    ],
  );
});

test('a branch that moved upstream stops the push before anything goes out', async () => {
  await using task = await newTask();
  task.work('lib', 'two');
  await task.home.takt('push', 'feature', '--yes');
  const other = join(task.home.folder, 'other');
  git(task.home.folder, 'clone', '-q', '-b', 'feature', task.upstreams.lib, other);
  const theirs = commitFile(other, 'theirs.txt', 'x');
  git(other, 'push', '-q');
  task.work('app', 'one');
  task.work('lib', 'three');

  const stale = await task.home.takt('push', 'feature', '--yes');
  await task.home.takt('repo', 'fetch', '--all');
  const known = await task.home.takt('push', 'feature', '--yes');

  assert.deepEqual([stale.code, known.code], [5, 5], stale.stderr + known.stderr);
  assert.equal(upstreamBranch(task.upstreams.lib), theirs);
  assert.equal(upstreamBranch(task.upstreams.app), '');
});

test('an address that hides a token is pushed to as it is in repos.yaml', async () => {
  await using task = await newTask();
  const secret = `${task.upstreams.lib}?token=s3cret`;
  cpSync(task.upstreams.lib, secret, { recursive: true });
  await task.home.takt('repo', 'add', 'more', `file://${secret}`);
  await task.home.takt('workspace', 'create', 'other', 'more');
  const clone = join(task.home.folder, 'workspaces', 'other', 'more');
  const commit = commitFile(clone, 'work.txt', 'one');
  git(clone, 'push', '-q');

  const pushed = await task.home.takt('push', 'other', '--yes');

  assert.equal(pushed.code, 0, pushed.stderr);
  assert.match(pushed.stdout, /\?token=\*\*\*/);
  assert.doesNotMatch(pushed.stdout + pushed.stderr, /s3cret/);
  assert.equal(git(secret, 'rev-parse', 'other'), commit);
});
