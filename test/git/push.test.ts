import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Fault } from '../../src/contract/faults.ts';
import { gitEnvironment } from '../../src/git/git.ts';
import { planPush, pushCommit } from '../../src/git/push.ts';
import { commit, limit, newRoot, newScratch, run, write, type Scratch } from './scratch.ts';

const { env } = gitEnvironment({ ...process.env, HOME: '/nonexistent' }, { interactive: false });

interface Outgoing {
  readonly upstream: string;
  readonly root: string;
  readonly tip: string;
  readonly start: string;
  plan(expected: string | null): ReturnType<typeof planPush>;
  push(expected: string | null, more?: Partial<Parameters<typeof pushCommit>[0]>): ReturnType<typeof pushCommit>;
}

/** A root repo whose workspace branch has two commits to send. */
async function outgoing(scratch: Scratch): Promise<Outgoing> {
  const { upstream, root, start } = await newRoot(scratch);
  run(scratch.folder, 'clone', '--quiet', '--branch=task', root, 'clone');
  commit(scratch.path('clone'), { a: 'a' }, 'first of ours');
  const tip = commit(scratch.path('clone'), { b: 'b' }, 'second of ours');
  run(scratch.path('clone'), 'push', '--quiet', 'origin', 'task');
  const common = { rootFolder: root, branch: 'task', defaultBranch: 'main' };
  return {
    upstream,
    root,
    tip,
    start,
    plan: async (expected) => planPush({ ...common, expected, mergedHeads: [], signal: limit() }),
    push: async (expected, more = {}) =>
      pushCommit({ ...common, upstream, pushUrl: upstream, commit: tip, expected, env, signal: limit(), ...more }),
  };
}

const failsWith =
  (code: string, detail = /^/) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof Fault && error.code === code, String(error));
    assert.match(error.detail ?? '', detail);
    return true;
  };

test('the plan shows what would go out', async () => {
  using scratch = newScratch();
  const { plan, tip, start, root } = await outgoing(scratch);

  const first = await plan(null);
  assert.deepEqual(
    { ...first, subjects: first.subjects.map((subject) => subject.slice(8)) },
    {
      commit: tip,
      expected: null,
      commits: 2,
      subjects: ['second of ours', 'first of ours'],
      state: 'to_push',
    },
  );
  assert.equal((await plan(`${tip}`)).state, 'current');
  const between = run(root, 'rev-parse', 'task^');
  assert.deepEqual([(await plan(between)).state, (await plan(between)).commits], ['to_push', 1]);
  assert.equal((await plan('b'.repeat(40))).state, 'diverged');

  run(root, 'update-ref', 'refs/heads/task', start);
  assert.equal((await plan(null)).state, 'unchanged');
  assert.equal((await plan(tip)).state, 'diverged');
});

test('a push sends exactly the commit shown, and records where upstream is', async () => {
  using scratch = newScratch();
  const { push, upstream, root, tip } = await outgoing(scratch);
  const between = run(root, 'rev-parse', 'task^');
  run(root, 'tag', '-a', 'private', '-m', 'x', 'task');
  write(scratch.path('gitconfig'), '[push]\n\tfollowTags = true\n\tdefault = matching\n');

  assert.deepEqual(
    await push(null, { commit: between, env: { ...env, GIT_CONFIG_GLOBAL: scratch.path('gitconfig') } }),
    { kind: 'pushed', unnoted: null },
  );
  assert.equal(run(upstream, 'rev-parse', 'task'), between);
  assert.equal(run(root, 'rev-parse', 'refs/remotes/upstream/task'), between);
  assert.deepEqual(await push(between), { kind: 'pushed', unnoted: null });
  assert.deepEqual(await push(between), { kind: 'current', unnoted: null });
  assert.equal(run(upstream, 'rev-parse', 'task'), tip);
  assert.equal(run(upstream, 'for-each-ref', '--format=%(refname)'), 'refs/heads/main\nrefs/heads/task');
});

test('an upstream that moved, came or went is not overwritten', async () => {
  using scratch = newScratch();
  const { push, upstream, root, start } = await outgoing(scratch);
  const between = run(root, 'rev-parse', 'task^');
  run(upstream, 'checkout', '-q', '-b', 'task');
  const theirs = commit(upstream, { theirs: 'x' });

  await assert.rejects(push(null), failsWith('UPSTREAM_MOVED'));
  await assert.rejects(push(between), failsWith('UPSTREAM_MOVED'));
  await assert.rejects(push(start), failsWith('UPSTREAM_MOVED'));
  await assert.rejects(push(theirs), failsWith('UPSTREAM_MOVED'));
  assert.equal(run(upstream, 'rev-parse', 'task'), theirs);
  run(upstream, 'checkout', '-q', 'main');
  run(upstream, 'branch', '-D', 'task');
  await assert.rejects(push(between), failsWith('UPSTREAM_MOVED'));
});

test('a commit that does not build on what is there is not sent, though it is what was expected', async () => {
  using scratch = newScratch();
  const { push, upstream, root, tip } = await outgoing(scratch);
  await push(null);
  run(scratch.path('clone'), 'commit', '--quiet', '--amend', '-m', 'rewritten');
  run(scratch.path('clone'), 'push', '--quiet', '--force', 'origin', 'task');

  await assert.rejects(push(tip, { commit: run(root, 'rev-parse', 'task') }), failsWith('UPSTREAM_MOVED'));

  assert.equal(run(upstream, 'rev-parse', 'task'), tip);
});

test('the default branch is never pushed to', async () => {
  using scratch = newScratch();
  const { push, upstream, start } = await outgoing(scratch);

  await assert.rejects(push(start, { branch: 'main' }), failsWith('PUSH_REJECTED'));

  assert.equal(run(upstream, 'rev-parse', 'main'), start);
});

test('an upstream whose hook refuses is quoted; its hooks run, those of the root repo do not', async () => {
  using scratch = newScratch();
  const { push, upstream, root } = await outgoing(scratch);
  write(join(root, 'hooks/pre-push'), `#!/bin/sh\ntouch ${scratch.path('canary')}\n`, 0o755);
  write(join(upstream, '.git/hooks/pre-receive'), '#!/bin/sh\necho "branches must be signed off" >&2\nexit 1\n', 0o755);

  await assert.rejects(push(null), failsWith('PUSH_REJECTED', /signed off/));
  write(join(upstream, '.git/hooks/pre-receive'), '#!/bin/sh\ncat > ../seen 2>/dev/null || cat > seen\n', 0o755);
  await push(null);

  assert.equal(existsSync(scratch.path('canary')), false);
  assert.match(
    readFileSync(join(upstream, existsSync(join(upstream, 'seen')) ? 'seen' : '.git/seen'), 'utf8'),
    /refs\/heads\/task/,
  );
});

test('an upstream that is gone is named as that', async () => {
  using scratch = newScratch();
  const { push } = await outgoing(scratch);

  const nothing = scratch.path('nothing');

  await assert.rejects(push(null, { upstream: nothing, pushUrl: nothing }), failsWith('UPSTREAM_MISSING'));
});

test('an upstream that may be read and not pushed to is told from one that is not there', async () => {
  using scratch = newScratch();
  const { push, upstream } = await outgoing(scratch);
  const script = scratch.path('ssh');
  const address = `ssh://forge${upstream}`;
  // Serves what is read, and says of a push what hosts of git say: that there is no such repository.
  write(
    script,
    '#!/bin/sh\nfor last; do :; done\ncase "$last" in git-receive-pack*) exit 1 ;; esac\neval "$last"\n',
    0o755,
  );
  const ssh = { ...env, GIT_SSH_COMMAND: script };

  await assert.rejects(push(null, { pushUrl: address, env: ssh }), failsWith('UPSTREAM_DENIED'));
  await assert.rejects(push(null, { pushUrl: `${address}x`, env: ssh }), failsWith('UPSTREAM_MISSING'));
});

test('a branch that upstream lost does not keep one from being noted that has its name as a folder', async () => {
  using scratch = newScratch();
  const { root, tip, start, push } = await outgoing(scratch);
  run(root, 'update-ref', 'refs/remotes/upstream/task/old', start);

  const sent = await push(null);

  assert.deepEqual(sent, { kind: 'pushed', unnoted: null });
  assert.equal(
    run(root, 'for-each-ref', '--format=%(objectname) %(refname)', 'refs/remotes/upstream/task'),
    `${tip} refs/remotes/upstream/task`,
  );
});

test('a push that went out is one, whatever keeps the root repo from noting it', async () => {
  using scratch = newScratch();
  const { root, upstream, tip, push } = await outgoing(scratch);
  write(`${root}/refs/remotes/upstream/task/no-ref.lock`, '');

  const { kind, unnoted } = await push(null);

  assert.equal(kind, 'pushed');
  assert.match(unnoted?.detail ?? '', /refs\/remotes\/upstream\/task/);
  assert.equal(run(upstream, 'rev-parse', 'task'), tip);
});
