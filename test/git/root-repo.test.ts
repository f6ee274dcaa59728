import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FaultCode } from '../../src/contract/faults.ts';
import { createRoot, removeHalfMade, repoFacts } from '../../src/git/root-repo.ts';
import {
  commit,
  isFault,
  limit,
  newRoot,
  newScratch,
  newUpstream,
  run,
  tryRun,
  tryRunWith,
  write,
  type Ended,
  type Scratch,
} from './scratch.ts';

/** Adding has to fail with this code, and to leave nothing. */
async function failsToAdd(scratch: Scratch, upstream: string, code: FaultCode, signal = limit()): Promise<void> {
  mkdirSync(scratch.path('root'), { recursive: true });

  await assert.rejects(createRoot({ folder: scratch.path('root', 'app'), upstream, signal }), isFault(code));

  assert.deepEqual(readdirSync(scratch.path('root')), []);
}

async function serve(answer: RequestListener): Promise<AsyncDisposable & { url: string; server: Server }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    server,
    url: `http://127.0.0.1:${port}/x/app.git`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

test('a root repo has the default branch, upstream’s branches beside it, tags, and no remote', async () => {
  using scratch = newScratch();
  const upstream = newUpstream(scratch.path('up stream'));
  run(upstream, 'branch', 'other');
  run(upstream, 'tag', '-a', 'v1', '-m', 'v1');
  const progress: string[] = [];

  const made = await createRoot({
    folder: scratch.path('root', 'app'),
    upstream,
    signal: limit(),
    onProgress: (text) => progress.push(text),
  });

  const root = scratch.path('root', 'app');
  assert.deepEqual(made, { defaultBranch: 'main', head: run(upstream, 'rev-parse', 'HEAD'), notices: [] });
  assert.equal(
    run(root, 'for-each-ref', '--format=%(refname)'),
    'refs/heads/main\nrefs/remotes/upstream/main\nrefs/remotes/upstream/other\nrefs/tags/v1',
  );
  assert.equal(run(root, 'remote'), '');
  assert.equal(readFileSync(join(root, 'config'), 'utf8').includes(upstream), false);
  assert.deepEqual(readdirSync(scratch.path('root')), ['app']);
  assert.ok(progress.length > 0);
  run(root, 'fsck');
});

test('the default branch can be named, and one that upstream lacks is a fault', async () => {
  using scratch = newScratch();
  const upstream = newUpstream(scratch.path('upstream'));
  run(upstream, 'branch', 'release');

  const { defaultBranch } = await createRoot({
    folder: scratch.path('a'),
    upstream,
    defaultBranch: 'release',
    signal: limit(),
  });

  assert.equal(defaultBranch, 'release');
  await assert.rejects(
    createRoot({ folder: scratch.path('b'), upstream, defaultBranch: 'nope', signal: limit() }),
    isFault('BRANCH_MISSING'),
  );
  await assert.rejects(createRoot({ folder: scratch.path('a'), upstream, signal: limit() }), isFault('REPO_EXISTS'));
});

test('a detached HEAD upstream still gives a default branch', async () => {
  using scratch = newScratch();
  const upstream = newUpstream(scratch.path('upstream'));
  run(upstream, 'branch', 'zzz');
  run(upstream, 'checkout', '-q', '--detach');

  const { defaultBranch } = await createRoot({ folder: scratch.path('a'), upstream, signal: limit() });

  assert.equal(defaultBranch, 'main');
});

test('an upstream that is gone, empty, no repository, shallow or partial is named as that', async () => {
  using scratch = newScratch();
  const upstream = newUpstream(scratch.path('upstream'));
  commit(upstream, { x: 'x' });
  run(upstream, 'config', 'uploadpack.allowFilter', 'true');
  run(scratch.folder, 'init', '--quiet', 'empty');
  mkdirSync(scratch.path('plain'));
  run(scratch.folder, 'clone', '--quiet', '--depth=1', `file://${upstream}`, 'shallow');
  run(scratch.folder, 'clone', '--quiet', '--filter=blob:none', '--no-checkout', `file://${upstream}`, 'partial');

  await failsToAdd(scratch, scratch.path('nothing'), 'UPSTREAM_MISSING');
  await failsToAdd(scratch, scratch.path('plain'), 'UPSTREAM_MISSING');
  await failsToAdd(scratch, scratch.path('empty'), 'UPSTREAM_EMPTY');
  await failsToAdd(scratch, scratch.path('shallow'), 'UPSTREAM_PARTIAL');
  await failsToAdd(scratch, scratch.path('partial'), 'UPSTREAM_PARTIAL');
  await failsToAdd(scratch, '--upload-pack=touch canary', 'INPUT_INVALID');
});

test('a damaged upstream is named as that, and leaves nothing', async () => {
  using scratch = newScratch();
  const upstream = newUpstream(scratch.path('upstream'));
  run(scratch.folder, 'clone', '--quiet', '--bare', '--no-local', upstream, 'packed.git');
  const pack = readdirSync(scratch.path('packed.git/objects/pack')).find((name) => name.endsWith('.pack'))!;
  const path = scratch.path('packed.git/objects/pack', pack);
  chmodSync(path, 0o644);
  writeFileSync(path, readFileSync(path).fill(0x58, 60, 80));
  const blob = run(upstream, 'rev-parse', 'HEAD:src/a.txt');
  const loose = join(upstream, '.git/objects', blob.slice(0, 2), blob.slice(2));
  chmodSync(loose, 0o644);
  writeFileSync(loose, 'no object');

  await failsToAdd(scratch, scratch.path('packed.git'), 'UPSTREAM_DAMAGED');
  await failsToAdd(scratch, upstream, 'UPSTREAM_DAMAGED');
  rmSync(loose, { force: true });
  await failsToAdd(scratch, upstream, 'UPSTREAM_DAMAGED');
});

test('an HTTP server that asks for a password, has nothing, breaks, or is not there is named as that', async () => {
  using scratch = newScratch();
  let status = 401;
  await using http = await serve((_, reply) =>
    reply.writeHead(status, { 'www-authenticate': 'Basic realm="x"' }).end('<html>\n<p>no</p>\n</html>\n'),
  );
  const expected: [number, FaultCode][] = [
    [401, 'UPSTREAM_DENIED'],
    [403, 'UPSTREAM_DENIED'],
    [404, 'UPSTREAM_MISSING'],
    [500, 'UPSTREAM_UNREACHABLE'],
    [200, 'UPSTREAM_MISSING'],
  ];
  for (const [each, code] of expected) {
    status = each;
    await failsToAdd(scratch, http.url, code);
  }
  const gone = await serve(() => undefined);
  await gone[Symbol.asyncDispose]();
  await failsToAdd(scratch, gone.url, 'UPSTREAM_UNREACHABLE');
});

test('an ssh server is told apart by how ssh ends', async () => {
  using scratch = newScratch();
  const ssh = scratch.path('ssh');
  const previous = process.env['PATH'];
  // Stands in front of ssh on the path, as the program that git starts.
  process.env['PATH'] = `${scratch.folder}:${previous}`;
  try {
    for (const [script, code] of [
      ['echo "me@h: Permission denied (publickey)." >&2; exit 255', 'UPSTREAM_DENIED'],
      ['echo "ssh: connect to host h port 22: No route to host" >&2; exit 255', 'UPSTREAM_UNREACHABLE'],
      ['echo "fatal: it is not here" >&2; exit 128', 'UPSTREAM_MISSING'],
    ] as const) {
      write(ssh, `#!/bin/sh\ncase "$*" in *BatchMode=yes*) ;; *) exit 99 ;; esac\n${script}\n`, 0o755);
      const { gitEnvironment } = await import('../../src/git/git.ts');
      const { askUpstream } = await import('../../src/git/upstream.ts');
      const { env } = gitEnvironment(process.env, { interactive: false });

      await assert.rejects(askUpstream(scratch.folder, 'git@h:x/app.git', { signal: limit(), env }), isFault(code));
    }
  } finally {
    process.env['PATH'] = previous;
  }
});

test('an aborted mirror leaves nothing', async () => {
  using scratch = newScratch();
  const abort = new AbortController();
  await using http = await serve(() => abort.abort(new Error('enough')));
  mkdirSync(scratch.path('root'));

  await assert.rejects(
    createRoot({ folder: scratch.path('root', 'app'), upstream: http.url, signal: abort.signal }),
    /enough/,
  );
  const upstream = newUpstream(scratch.path('upstream'));
  const second = new AbortController();
  const stopInTheMiddle = (): void => second.abort(new Error('enough'));
  await assert.rejects(
    createRoot({ folder: scratch.path('root', 'app'), upstream, signal: second.signal, onProgress: stopInTheMiddle }),
    /enough/,
  );

  assert.deepEqual(readdirSync(scratch.path('root')), []);
});

test('what a crash left of a root repo in the making is removed, and nothing else', async () => {
  using scratch = newScratch();
  const { root } = await newRoot(scratch);
  mkdirSync(scratch.path('root', '.new-lib-00000000'));

  await removeHalfMade(scratch.path('root'));

  assert.deepEqual(readdirSync(scratch.path('root')), ['app']);
  assert.ok(existsSync(join(root, 'HEAD')));
});

test('pushes to the default branch and to refs of takt are refused, a force push of a workspace is not', async () => {
  using scratch = newScratch();
  const { root } = await newRoot(scratch);
  run(scratch.folder, 'clone', '--quiet', '--branch=task', root, 'clone');
  const clone = scratch.path('clone');
  commit(clone, { x: 'x' });

  const refusals = [
    'HEAD:main',
    ':main',
    'HEAD:refs/takt/runs/x',
    'HEAD:refs/remotes/upstream/main',
    'HEAD:refs/notes/x',
  ].map((spec) => tryRun(clone, 'push', 'origin', spec));
  run(clone, 'push', '--quiet', 'origin', 'HEAD:task');
  run(clone, 'commit', '--quiet', '--amend', '-m', 'other');
  run(clone, 'push', '--quiet', '--force', 'origin', 'HEAD:task');
  run(clone, 'push', '--quiet', 'origin', ':task');

  assert.deepEqual(
    refusals.map(({ exitCode }) => exitCode),
    [1, 1, 1, 1, 1],
  );
  assert.match(refusals[0]!.stderr, /takt: refs\/heads\/main follows upstream/);
  assert.doesNotMatch(run(root, 'ls-remote', root), /refs\/takt/);
});

test('hooks of the root repo run though the user’s own configuration names others, under any umask', async () => {
  using scratch = newScratch();
  const before = process.umask(0o077);
  const { root } = await newRoot(scratch).finally(() => process.umask(before));
  run(scratch.folder, 'clone', '--quiet', '--branch=task', root, 'clone');
  write(scratch.path('gitconfig'), `[core]\n\thooksPath = ${scratch.path('nothing')}\n`);
  const push = (spec: string): Ended =>
    tryRunWith({ GIT_CONFIG_GLOBAL: scratch.path('gitconfig') }, scratch.path('clone'), 'push', 'origin', spec);

  assert.match(push(':main').stderr, /follows upstream/);
  assert.equal(statSync(join(root, 'hooks/pre-receive')).mode & 0o777, 0o755);
  run(root, 'config', '--unset', 'core.hooksPath');
  run(root, 'config', 'receive.denyDeleteCurrent', 'ignore');
  assert.equal(push(':main').exitCode, 0, 'without that setting the hook does not run');
});

test('submodules and LFS are noticed', async () => {
  using scratch = newScratch();
  const upstream = newUpstream(scratch.path('upstream'));
  commit(upstream, { '.gitmodules': '', 'deep/.gitattributes': '*.bin filter=lfs diff=lfs\n' });

  const { notices } = await createRoot({ folder: scratch.path('root'), upstream, signal: limit() });
  const facts = await repoFacts(scratch.path('root'), { signal: limit() });

  assert.equal(notices.length, 2);
  assert.deepEqual(facts.notices, notices);
  assert.ok(facts.sizeBytes > 0);
});

test('a hook or configuration that cannot be written leaves nothing half-made', () => {
  using scratch = newScratch();
  mkdirSync(scratch.path('hooks'));
  const furniture = join(import.meta.dirname, '..', '..', 'src', 'git', 'root-furniture.ts');
  const script = `await (await import(${JSON.stringify(furniture)})).furnishRoot(${JSON.stringify(scratch.folder)})`;
  // No process of this shell may write a byte, as on a disk that is full.
  const limited = `trap '' XFSZ; ulimit -f 0; exec "$0" --input-type=module -e "$1"`;

  const { status, stderr } = spawnSync('sh', ['-c', limited, process.execPath, script], { encoding: 'utf8' });

  assert.equal(status, 1);
  assert.match(stderr, /EFBIG/);
  assert.deepEqual(readdirSync(scratch.folder), ['hooks']);
});
