import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Said } from './household.ts';
import { until } from './until.ts';
import { isInstalled } from './machine.ts';

/** A real `systemd --user` of its own, beside whatever else the machine runs; gone with the test. */
export interface UserSystemd extends AsyncDisposable {
  /** With this, systemctl and loginctl reach it. */
  readonly environment: Record<string, string>;
  /** HOME of those who use it, below which it finds units. */
  readonly userHome: string;
  systemctl(...words: string[]): Promise<Said>;
}

/**
 * systemd runs as a user's only where `/run/systemd/system` says that the machine was booted with it, and wants a control
 * group of its own. So it gets such a folder in a mount namespace, where nobody else sees it, and groups that are made
 * for it in each hierarchy that it uses. logind gets a system bus of its own and keeps its files there too.
 */
const BEGIN = `
set -eu
folder=$1; shift
for hierarchy in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
  [ -e $hierarchy/cgroup.procs ] || continue
  mkdir $hierarchy/takt-test-$$
  echo $hierarchy/takt-test-$$ >> $folder/groups
  echo $$ > $hierarchy/takt-test-$$/cgroup.procs
done
[ -e $folder/groups ] || { echo 'there are no control groups' >&2; exit 1; }
mkdir -p /run/systemd /var/lib/systemd
exec unshare --mount sh -euc '
  mount -t tmpfs tmpfs /run/systemd
  mount -t tmpfs tmpfs /var/lib/systemd
  mkdir /run/systemd/system
  /lib/systemd/systemd-logind &
  exec /lib/systemd/systemd --user
'
`;

const BUS = (
  socket: string,
): string => `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=${socket}</listen>
  <policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/></policy>
</busconfig>
`;

/** Starts both and waits until they answer; rejects with what they said if they do not. */
export async function openUserSystemd(userHome: string): Promise<UserSystemd> {
  // The paths of its sockets are limited to some hundred bytes.
  const folder = await mkdtemp(join(tmpdir(), 'takt-sd-'));
  const runtime = join(folder, 'run');
  await mkdir(runtime, { mode: 0o700 });
  await mkdir(userHome, { recursive: true });
  await writeFile(join(folder, 'bus.conf'), BUS(join(folder, 'bus')));
  const environment = {
    PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? '/usr/bin:/bin'}`,
    HOME: userHome,
    XDG_RUNTIME_DIR: runtime,
    DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${join(folder, 'bus')}`,
  };
  const bus = spawn('dbus-daemon', [`--config-file=${join(folder, 'bus.conf')}`, '--nofork', '--nopidfile'], {
    stdio: 'ignore',
  });
  let words = '';
  const systemd = spawn('sh', ['-c', BEGIN, 'sh', folder], {
    env: { ...environment, SYSTEMD_LOG_TARGET: 'console' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await writeClients(join(folder, 'bin'), systemd.pid ?? 0);
  systemd.stderr.setEncoding('utf8').on('data', (chunk: string) => (words += chunk));
  const opened: UserSystemd = {
    environment,
    userHome,
    systemctl: (...args) => runIn(environment, 'systemctl', ['--user', ...args]),
    async [Symbol.asyncDispose]() {
      await endGroups(folder);
      for (const child of [systemd, bus]) await ending(child);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  try {
    await until('systemd and logind to answer', async () => {
      if (systemd.exitCode !== null || bus.exitCode !== null) throw new Error(words.trim());
      const answers = [
        opened.systemctl('show', '--property=Version'),
        runIn(environment, 'loginctl', ['list-sessions']),
      ];
      return (await Promise.all(answers)).every(({ code }) => code === 0) ? true : undefined;
    });
    return opened;
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}

/** The real programs, seen from where the machine looks as if it had been booted with systemd: else they refuse. */
async function writeClients(folder: string, pid: number): Promise<void> {
  await mkdir(folder);
  for (const program of ['systemctl', 'loginctl'])
    await writeFile(
      join(folder, program),
      `#!/bin/sh\nexec nsenter --mount=/proc/${pid}/ns/mnt /usr/bin/${program} "$@"\n`,
      { mode: 0o755 },
    );
}

/** Why this machine has none, in a line, for a test that is skipped; undefined where it has. */
export async function reasonAgainstUserSystemd(): Promise<string | undefined> {
  if (!isInstalled('dbus-daemon')) return 'needs dbus-daemon';
  const folder = await mkdtemp(join(tmpdir(), 'takt-sd-'));
  try {
    await using opened = await openUserSystemd(join(folder, 'user'));
    return (await opened.systemctl('show')).code === 0 ? undefined : 'systemctl --user fails';
  } catch (error) {
    return `no systemd --user can be started: ${(error as Error).message.split('\n').at(-1)}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function runIn(env: Record<string, string>, program: string, args: string[]): Promise<Said> {
  return new Promise((resolve) => {
    execFile(program, args, { env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 255, stdout, stderr }),
    );
  });
}

/** Whatever is in the groups was started by it: itself, its units, and what they left behind. */
async function endGroups(folder: string): Promise<void> {
  const groups = await linesOf(join(folder, 'groups'));
  await until('its processes to end', async () => {
    const pids = (await Promise.all(groups.map(pidsBelow))).flat();
    for (const pid of pids) kill(pid);
    return pids.length === 0 ? true : undefined;
  });
  for (const group of groups) for (const each of [...(await foldersBelow(group)), group]) await rmdir(each);
}

async function pidsBelow(group: string): Promise<number[]> {
  const folders = [group, ...(await foldersBelow(group))];
  return (await Promise.all(folders.map((each) => linesOf(join(each, 'cgroup.procs'))))).flat().map(Number);
}

/** The deepest first, as they can be removed. */
async function foldersBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const inner = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  return (await Promise.all(inner.map(async (each) => [...(await foldersBelow(each)), each]))).flat();
}

async function linesOf(file: string): Promise<string[]> {
  try {
    return (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  } catch (error) {
    if (['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function ending(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}
