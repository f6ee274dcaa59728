import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { homeLayout, type HomeLayout } from '../../src/platform/home-layout.ts';
import type { CameOut, InWalls } from './run-in-walls.ts';
import { testUsers, type TestUser } from './test-user.ts';
import { testNeeding } from '../driver/machine.ts';

const test = testNeeding('bwrap');

const IN_WALLS = join(import.meta.dirname, 'run-in-walls.ts');

/** A home with what is to stay hidden, and a way to run a command inside the walls of one of its runs or without them. */
interface WalledHome {
  readonly layout: HomeLayout;
  readonly run: (
    line: string,
    mode: 'strict' | 'off',
    change?: Partial<InWalls>,
    environment?: Record<string, string>,
  ) => CameOut;
}

function newHome(t: TestContext, user: TestUser): WalledHome {
  const home = mkdtempSync(join(tmpdir(), 'takt-walls-'));
  chmodSync(home, 0o755);
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const layout = homeLayout(home);
  const root = layout.root('app');
  for (const folder of [
    layout.state,
    layout.agentHomes,
    layout.runs,
    join(root, 'objects'),
    join(root, 'refs/heads'),
    layout.clone('other', 'app'),
    layout.runFolder('other', 1),
  ]) {
    mkdirSync(folder, { recursive: true });
  }
  const secret = {
    [layout.token]: 't',
    [layout.database]: 'd',
    [join(root, 'config')]: 'c',
    [join(root, 'refs/heads/task')]: 'r',
  };
  const more = {
    [join(root, 'objects/pack')]: 'p',
    [join(layout.clone('other', 'app'), 'file')]: 'f',
    [join(home, '.ssh-key')]: 'k',
  };
  for (const [path, text] of Object.entries({ ...secret, ...more })) writeFileSync(path, `precious ${text}\n`);
  user.own(home);
  return {
    layout,
    run(line, mode, change = {}, environment = {}) {
      const plan: InWalls = {
        mode,
        runFolder: layout.runFolder('task', 1),
        agentFolder: join(layout.agentHomes, 'run_1'),
        rootObjects: [join(root, 'objects')],
        run: line,
        ...change,
      };
      const [program, ...args] = user.command([process.execPath, IN_WALLS, JSON.stringify(plan)]);
      const { stdout, stderr } = spawnSync(program!, args, {
        env: { PATH: process.env['PATH'], ...environment },
        encoding: 'utf8',
      });
      assert.notEqual(stdout, '', stderr);
      return JSON.parse(stdout) as CameOut;
    },
  };
}

/** Acts that have to fail inside and to succeed without walls; `$home` and the like are filled in. */
const acts: [name: string, line: (layout: HomeLayout) => string, only?: 'root'][] = [
  ['read /etc/shadow', () => 'cat /etc/shadow', 'root'],
  ['read another workspace', (layout) => `cat ${layout.clone('other', 'app')}/file`],
  ['read the refs of a root repo', (layout) => `cat ${layout.root('app')}/refs/heads/task`],
  ['read the config of a root repo', (layout) => `cat ${layout.root('app')}/config`],
  ['read the token', (layout) => `cat ${layout.token}`],
  ['read the store', (layout) => `cat ${layout.database}`],
  ['read a key of the user', (layout) => `cat ${layout.home}/.ssh-key`],
  ['write into the objects of a root repo', (layout) => `touch ${layout.root('app')}/objects/new`],
  ['change an object of a root repo', (layout) => `echo x >> ${layout.root('app')}/objects/pack`],
  ['list the runs of others', (layout) => `ls ${layout.runs}/other-1`],
  ['look into /sys', () => 'ls /sys/kernel'],
];

for (const user of testUsers) {
  for (const [name, line, only] of acts) {
    if (only !== undefined && user.name !== only) continue;
    test(`as ${user.name}, work cannot ${name}; without walls it can`, { skip: user.skip }, (t) => {
      const home = newHome(t, user);

      const inside = home.run(line(home.layout), 'strict');
      const control = home.run(line(home.layout), 'off');

      assert.notEqual(inside.exitCode, 0, inside.stdout);
      assert.equal(control.exitCode, 0, control.stderr);
    });
  }

  test(
    `as ${user.name}, work reads the objects that it borrows, and writes its run, its home and /tmp`,
    { skip: user.skip },
    (t) => {
      const home = newHome(t, user);

      const { exitCode, stdout, stderr, used } = home.run(
        `cat ${home.layout.root('app')}/objects/pack && touch here ~/there /tmp/x /dev/shm/y && echo "$HOME" && node --version`,
        'strict',
      );

      assert.equal(exitCode, 0, stderr);
      assert.match(stdout, /precious p\n.*run_1\nv\d+/);
      assert.deepEqual(used, {
        filesystem: 'bubblewrap',
        network: 'open',
        user: user.name === 'root' ? 'dropped' : 'own',
      });
      assert.ok(existsSync(join(home.layout.runFolder('task', 1), 'here')));
      assert.equal(existsSync('/tmp/x') && readFileSync('/tmp/x', 'utf8') === '', false);
    },
  );

  test(
    `as ${user.name}, work has an account of its own, no capability, and no way to get one`,
    { skip: user.skip },
    (t) => {
      const home = newHome(t, user);

      const { stdout } = home.run(
        'id -u; grep -E "^(Cap(Prm|Eff)|NoNewPrivs)" /proc/self/status; node -e "console.log(os.userInfo().uid)"',
        'strict',
      );

      const [uid, ...rest] = stdout.split('\n');
      assert.notEqual(uid, '0');
      assert.match(rest.join('\n'), /CapPrm:\s0+\nCapEff:\s0+\nNoNewPrivs:\s1\n\d+/);
      assert.ok(rest.includes(uid!));
    },
  );

  test(
    `as ${user.name}, a secret of the service is in no environment inside; without walls it is`,
    { skip: user.skip },
    (t) => {
      const home = newHome(t, user);
      const look =
        'env; cat /proc/[0-9]*/environ 2> /dev/null | tr "\\0" "\\n"; cat /proc/[0-9]*/cmdline 2> /dev/null; exit 0';

      const inside = home.run(look, 'strict', {}, { ANTHROPIC_API_KEY: 'sk-secret-of-the-service' });
      const control = home.run(look, 'off', {}, { ANTHROPIC_API_KEY: 'sk-secret-of-the-service' });

      assert.doesNotMatch(inside.stdout, /sk-secret/);
      assert.match(inside.stdout, /TAKT_ATTEMPT=att_walls/);
      assert.match(control.stdout, /sk-secret/);
    },
  );

  test(
    `as ${user.name}, processes outside are neither seen nor signalled; without walls they are`,
    { skip: user.skip },
    (t) => {
      const home = newHome(t, user);
      const [program, ...args] = user.command(['sh', '-c', ': other-run; sleep 1000 & wait']);
      const other = spawn(program!, args, { stdio: 'ignore', detached: true });
      t.after(() => process.kill(-other.pid!, 'SIGKILL'));
      const look = `grep -l other-run /proc/[0-9]*/cmdline | grep -v self | grep -qx /proc/${other.pid}/cmdline && kill -0 ${other.pid}`;

      assert.notEqual(home.run(look, 'strict').exitCode, 0);
      assert.equal(home.run(look, 'off').exitCode, 0);
    },
  );

  test(
    `as ${user.name}, what is mounted read-only cannot be mounted writable; where one may mount, it can`,
    { skip: user.skip },
    (t) => {
      const home = newHome(t, user);
      const objects = `${home.layout.root('app')}/objects`;
      const remount = `mount -o remount,bind,rw ${objects} && touch ${objects}/new`;

      const inside = home.run(`${remount} || unshare --user --map-root-user --mount sh -c '${remount}'`, 'strict');
      const control = home.run(
        `unshare --user --map-root-user --mount sh -c 'mount --bind ${objects} ${objects} && mount -o remount,bind,ro ${objects} && ${remount}'`,
        'off',
      );

      assert.notEqual(inside.exitCode, 0);
      assert.equal(control.exitCode, 0, control.stderr);
    },
  );

  test(
    `as ${user.name}, a Unix socket of the home cannot be reached; without walls it can`,
    { skip: user.skip },
    async (t) => {
      const home = newHome(t, user);
      const server = createServer((socket) => socket.end());
      await new Promise<void>((resolve) => server.listen(home.layout.socket, resolve));
      t.after(() => server.close());
      chmodSync(home.layout.socket, 0o777);
      const connect = `node -e "require('net').connect('${home.layout.socket}').on('connect', () => process.exit(0)).on('error', () => process.exit(1))"`;

      assert.notEqual(home.run(connect, 'strict').exitCode, 0);
      assert.equal(home.run(connect, 'off').exitCode, 0);
    },
  );

  test(
    `as ${user.name}, a toolchain that holds the home is refused, and one beside it is read and in the PATH`,
    { skip: user.skip },
    (t) => {
      const home = newHome(t, user);
      const toolchain = mkdtempSync(join(tmpdir(), 'takt-tool-'));
      t.after(() => rmSync(toolchain, { recursive: true }));
      mkdirSync(join(toolchain, 'bin'));
      writeFileSync(join(toolchain, 'bin', 'hammer'), '#!/bin/sh\necho bang\n', { mode: 0o755 });
      chmodSync(toolchain, 0o755);

      const whole = home.run('true', 'strict', { toolchains: [tmpdir()] });
      const missing = home.run('true', 'strict', { toolchains: ['/nowhere/at/all'] });
      const beside = home.run('hammer', 'strict', { toolchains: [toolchain] });

      assert.deepEqual([whole.fault, missing.fault], ['CONFIG_INVALID', 'CONFIG_INVALID']);
      assert.equal(beside.stdout, 'bang\n');
    },
  );
}
