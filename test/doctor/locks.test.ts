import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { limit, run, write } from '../git/scratch.ts';
import { age } from './doctor-home.ts';
import { withRoot } from './root-home.ts';

const oldLock = (root: string, name: string): string => {
  const path = join(root, name);
  write(path, '');
  age(path, 30);
  return path;
};

test('lock files that a dead git left are removed, and nothing else', async () => {
  const { home, root } = await withRoot();
  using _ = home;
  run(root, 'update-ref', 'refs/heads/task', 'main');
  const refs = run(root, 'for-each-ref');
  const old = ['packed-refs.lock', 'refs/heads/task.lock', 'objects/info/commit-graphs/commit-graph-chain.lock'].map(
    (name) => oldLock(root, name),
  );
  const young = join(root, 'HEAD.lock');
  writeFileSync(young, '');

  const { state, found, fix } = await home.look('locks');
  const did = await home.mend('locks');

  assert.equal(state, 'warning');
  assert.match(found, /^root\/app\/packed-refs\.lock, .*: left by a git that is gone$/);
  assert.ok(
    old.every((path) => fix.includes(path)),
    fix,
  );
  assert.match(did ?? '', /^removed root\/app\/packed-refs\.lock/);
  assert.deepEqual(
    [...old, young].map((path) => existsSync(path)),
    [false, false, false, true],
  );
  assert.equal(run(root, 'for-each-ref'), refs);
  assert.match(await home.state('locks'), /^ok/);
});

test('a lock is left alone while a git is at work in the repo, however old it is', async () => {
  const { home, root } = await withRoot();
  using _ = home;
  const lock = oldLock(root, 'packed-refs.lock');
  const child = spawn('git', ['cat-file', '--batch'], { cwd: root });
  child.stdin.write('HEAD\n');
  await once(child.stdout, 'data');

  const amid = await home.look('locks');
  const gone = once(child, 'exit');
  child.stdin.end();
  await gone;
  const after = await home.look('locks');

  assert.equal(amid.repair, undefined);
  assert.match(amid.found, new RegExp(`somebody may be at work there \\(process ${child.pid}, git\\)$`));
  assert.notEqual(after.repair, undefined);
  assert.equal(readFileSync(lock, 'utf8'), '');
});

test('a git that begins after the look keeps its locks', async () => {
  const { home, root } = await withRoot();
  using _ = home;
  const lock = oldLock(root, 'packed-refs.lock');
  const { repair } = await home.look('locks');
  const child = spawn('git', ['cat-file', '--batch'], { cwd: root });
  child.stdin.write('HEAD\n');
  await once(child.stdout, 'data');

  const did = await repair!(limit());
  const gone = once(child, 'exit');
  child.stdin.end();
  await gone;

  assert.equal(did, undefined);
  assert.equal(existsSync(lock), true);
});

/** A git that holds a lock it took half an hour ago; its command names nothing. */
async function gitThatHolds(folder: string, ...args: string[]): Promise<Disposable & { end(): Promise<number> }> {
  const head = run(folder, 'rev-parse', 'HEAD').trim();
  const child = spawn('git', [...args, 'update-ref', '--stdin'], { cwd: args.length === 0 ? folder : '/' });
  child.stdin.write(`start\ncreate refs/heads/held ${head}\nprepare\n`);
  const said = child.stdout.setEncoding('utf8');
  let text = '';
  said.on('data', (chunk: string) => (text += chunk));
  while (!text.includes('prepare: ok')) await once(said, 'data');
  age(join(folder, 'refs', 'heads', 'held.lock'), 30);
  return {
    async end() {
      const exit = once(child, 'exit') as Promise<[number]>;
      child.stdin.end('commit\n');
      return (await exit)[0];
    },
    [Symbol.dispose]: () => void child.kill(),
  };
}

test('a lock that a living git holds stays, where the root repos are reached by a link', async () => {
  const { home, root } = await withRoot();
  using _ = home;
  const real = home.path('bigdisk');
  renameSync(home.layout.roots, real);
  symlinkSync(real, home.layout.roots);

  using git = await gitThatHolds(join(real, 'app'));
  const amid = await home.look('locks');
  const exitCode = await git.end();
  oldLock(root, 'packed-refs.lock');
  const after = await home.look('locks');

  assert.match(amid.found, /^root\/app\/refs\/heads\/held\.lock: old, and somebody may be at work there/);
  assert.equal(amid.repair, undefined);
  assert.equal(exitCode, 0);
  assert.notEqual(after.repair, undefined);
});

test('a git that names the repo by a link from elsewhere keeps its lock as well', async () => {
  const { home, root } = await withRoot();
  using _ = home;
  symlinkSync(root, home.path('link'));

  using git = await gitThatHolds(root, `--git-dir=${home.path('link')}`);
  const amid = await home.look('locks');
  const exitCode = await git.end();

  assert.equal(amid.repair, undefined);
  assert.equal(exitCode, 0);
});

test('a lock stays while a program that is no git has a file of the repo open', async () => {
  const { home, root } = await withRoot();
  using _ = home;
  const lock = oldLock(root, 'packed-refs.lock');
  const child = spawn('sh', ['-c', 'exec 3>>"$0"; echo open; read -r end', lock], { cwd: '/' });
  using _child = { [Symbol.dispose]: () => void child.kill() };
  await once(child.stdout, 'data');
  age(lock, 30);

  const amid = await home.look('locks');
  const gone = once(child, 'exit');
  child.stdin.end();
  await gone;
  const after = await home.look('locks');

  assert.match(amid.found, new RegExp(`\\(process ${child.pid}, sh\\)$`));
  assert.equal(amid.repair, undefined);
  assert.notEqual(after.repair, undefined);
});
