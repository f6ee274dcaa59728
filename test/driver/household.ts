import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const PROJECT = join(import.meta.dirname, '..', '..');
const ENTRY = join(PROJECT, 'dist', 'takt.js');

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A home of its own for one test, driven through the command line as a user drives it. */
export interface Household {
  readonly folder: string;
  readonly home: string;
  readonly port: number;
  /** What the user's environment holds; the service is started with it. */
  readonly environment: Record<string, string>;
  takt(...words: string[]): Promise<Said>;
  /** Like `takt`, but a code other than 0 fails the test with all that was said. */
  ok(...words: string[]): Promise<string>;
  /** `--json` is added, and the reply parsed. */
  json<Reply>(...words: string[]): Promise<Reply>;
  /** Starts a command and leaves it running. */
  start(...words: string[]): ChildProcess;
  git(folder: string, ...words: string[]): Promise<string>;
  /** A bare upstream with one commit that holds these files; gives its path. */
  upstream(name: string, files: Record<string, string>): Promise<string>;
  clone(workspace: string, repo: string): string;
  root(repo: string): string;
  token(): Promise<string>;
  servicePid(): Promise<number>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

/**
 * Variables with which no systemd is found, neither that of whoever runs the tests nor the machine's logind: their units
 * and their lingering are not for tests to change.
 */
export async function withoutSystemd(folder: string): Promise<Record<string, string>> {
  const runtime = join(folder, 'runtime');
  await mkdir(runtime, { recursive: true, mode: 0o700 });
  return { XDG_RUNTIME_DIR: runtime, DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${join(runtime, 'nothing')}` };
}

export async function openHousehold(
  extra: Record<string, string> = {},
  options: { folder?: string } = {},
): Promise<Household> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'takt-test-')));
  const home = join(folder, 'home');
  const port = await freePort();
  const environment: Record<string, string> = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: join(folder, 'user'),
    ...(await withoutSystemd(folder)),
    LANG: 'C.UTF-8',
    TAKT_HOME: home,
    TAKT_PORT: String(port),
    NO_COLOR: '1',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.org',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.org',
    ...extra,
  };
  await mkdir(environment['HOME']!, { recursive: true });

  const run = (command: string, words: string[], cwd: string): Promise<Said> =>
    new Promise((resolve) => {
      execFile(command, words, { cwd, env: environment, maxBuffer: 256 * 1024 * 1024 }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 255, stdout, stderr }),
      ).stdin?.end();
    });
  const takt = (...words: string[]): Promise<Said> => run(process.execPath, [ENTRY, ...words], folder);
  const ok = async (...words: string[]): Promise<string> => {
    const said = await takt(...words);
    if (said.code !== 0) throw new Error(`takt ${words.join(' ')}: exit ${said.code}\n${said.stdout}\n${said.stderr}`);
    return said.stdout;
  };
  const git = async (where: string, ...words: string[]): Promise<string> => {
    const said = await run('git', words, where);
    if (said.code !== 0) throw new Error(`git ${words.join(' ')}: exit ${said.code}\n${said.stdout}\n${said.stderr}`);
    return said.stdout.trim();
  };

  await ok('init');
  return {
    folder,
    home,
    port,
    environment,
    takt,
    ok,
    json: async (...words) => JSON.parse(await ok(...words, '--json')),
    start: (...words) =>
      spawn(process.execPath, [ENTRY, ...words], { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'] }),
    git,
    upstream: (name, files) => makeUpstream(folder, name, files, git),
    clone: (workspace, repo) => join(home, 'workspaces', workspace, repo),
    root: (repo) => join(home, 'root', repo),
    token: async () => (await readFile(join(home, '.state', 'token'), 'utf8')).trim(),
    servicePid: async () => JSON.parse(await ok('service', 'status', '--json')).pid,
    async [Symbol.asyncDispose]() {
      await takt('service', 'stop');
      await endLeftovers(home);
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

async function makeUpstream(
  folder: string,
  name: string,
  files: Record<string, string>,
  git: Household['git'],
): Promise<string> {
  const { writeFile } = await import('node:fs/promises');
  const { dirname } = await import('node:path');
  const work = join(folder, 'seed', name);
  const bare = join(folder, 'upstream', `${name}.git`);
  await mkdir(work, { recursive: true });
  await mkdir(dirname(bare), { recursive: true });
  await git(work, 'init', '-q', '-b', 'main');
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(work, path)), { recursive: true });
    await writeFile(join(work, path), text);
  }
  await git(work, 'add', '-A');
  await git(work, 'commit', '-q', '-m', 'start');
  await git(folder, 'clone', '-q', '--bare', work, bare);
  return bare;
}

/** Step hosts outlive the service by design; those of this home are ended with the test. */
async function endLeftovers(home: string): Promise<void> {
  const { readdir } = await import('node:fs/promises');
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const line = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    if (line.includes(home) && Number(entry) !== process.pid) {
      try {
        process.kill(Number(entry), 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }
}
