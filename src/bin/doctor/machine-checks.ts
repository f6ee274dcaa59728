import { statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import packageJson from '../../../package.json' with { type: 'json' };
import { answers } from '../../cli/start-service.ts';
import { byteSize } from '../../cli/print/figures.ts';
import { findProgram, systemProgram } from '../../confinement/find-program.ts';
import { probeConfinement } from '../../confinement/probe.ts';
import { isThere } from '../../platform/files.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { runProcess } from '../../platform/run-process.ts';
import { portHolder } from '../../service/port-holder.ts';
import { readServiceFile } from '../../service/service-file.ts';
import { type Check, type CheckResult, result } from './check.ts';

/** `git merge-tree --write-tree`, with which takt merges, came with this version. */
const GIT_NEEDED = [2, 38] as const;
const DISK_NEEDED_BYTES = 200 * 1024 ** 2;
const DISK_WANTED_BYTES = 5 * 1024 ** 3;
const PROGRAM_LIMIT_MS = 10_000;
const DEFAULT_PORT = 7433;

export function machineChecks(layout: HomeLayout, signal: AbortSignal): Check[] {
  return [
    checkNode,
    () => checkGit(signal),
    () => checkConfinement(signal),
    checkSetpriv,
    () => checkDisk(layout),
    () => checkPort(layout),
    () => optional('tmux', 'needed only to watch agents in a terminal'),
    () => optional('gh', 'needed only for pull requests on GitHub'),
  ];
}

function checkNode(): CheckResult {
  const pinned = packageJson.dependencies.node;
  const own = process.versions.node;
  if (own === pinned) return result('Node', 'ok', `${own}, the one that takt pins`);
  return result(
    'Node',
    'warning',
    `${own}, while takt pins ${pinned}`,
    'Start takt by its launcher, or run `npm ci` in its folder.',
  );
}

/** The first line of what a program says about its version, or undefined if it does not start. */
export async function versionOf(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(PROGRAM_LIMIT_MS)]);
  try {
    const { exitCode, stdout } = await runProcess(program, args, { env: environment(), signal: limited });
    return exitCode === 0 ? stdout.toString('utf8').split('\n')[0] : undefined;
  } catch (error) {
    signal.throwIfAborted();
    if ((error as Error).name === 'TimeoutError') return undefined;
    throw error;
  }
}

const environment = (): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  HOME: process.env['HOME'] ?? '/',
});

async function checkGit(signal: AbortSignal): Promise<CheckResult> {
  const said = await versionOf('git', ['version'], signal);
  if (said === undefined) return result('git', 'broken', 'does not start', 'Install git (`apt install git`).');
  const [, major = 0, minor = 0] = /(\d+)\.(\d+)/.exec(said)?.map(Number) ?? [];
  const isNewEnough = major > GIT_NEEDED[0] || (major === GIT_NEEDED[0] && minor >= GIT_NEEDED[1]);
  return isNewEnough
    ? result('git', 'ok', said)
    : result('git', 'broken', said, `takt needs git ${GIT_NEEDED.join('.')} or newer.`);
}

async function checkConfinement(signal: AbortSignal): Promise<CheckResult> {
  const { works, why } = await probeConfinement({ signal });
  if (works) return result('bubblewrap', 'ok', 'starts: work is confined');
  const fix =
    'Until it does, work is not confined unless `confinement: strict` refuses it. Install bubblewrap, and allow user namespaces.';
  return result('bubblewrap', 'warning', why, fix);
}

function checkSetpriv(): CheckResult {
  if (process.getuid?.() !== 0) return result('setpriv', 'ok', 'not needed: takt does not run as root');
  if (systemProgram('setpriv') !== undefined) return result('setpriv', 'ok', 'there: confined work drops root');
  return result(
    'setpriv',
    'warning',
    'missing, and takt runs as root',
    'Install util-linux, or run takt as an ordinary user.',
  );
}

async function checkDisk(layout: HomeLayout): Promise<CheckResult> {
  let folder = layout.home;
  while (!(await isThere(folder))) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const found = `${byteSize(free)} free for ${layout.home}`;
  if (free < DISK_NEEDED_BYTES) return result('disk', 'broken', found, 'Free space, or move the home.');
  return result(
    'disk',
    free < DISK_WANTED_BYTES ? 'warning' : 'ok',
    found,
    free < DISK_WANTED_BYTES ? 'Runs check out whole worktrees: free some space.' : '',
  );
}

async function checkPort(layout: HomeLayout): Promise<CheckResult> {
  const port = Number(process.env['TAKT_PORT'] ?? DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    return result('port', 'broken', `TAKT_PORT is ${process.env['TAKT_PORT']}`, 'Set it to a number up to 65535.');
  const service = await readServiceFile(layout);
  if (service !== undefined && (await answers(layout.socket)))
    return result('port', 'ok', `${service.port}, on which the service of this home listens`);
  if (await isFree(port)) return result('port', 'ok', `${port} is free`);
  return result('port', 'broken', `${port} is taken by ${portHolder(port)}`, 'Set TAKT_PORT to a free port.');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      ['EADDRINUSE', 'EACCES'].includes(error.code ?? '') ? resolve(false) : reject(error),
    );
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function optional(program: string, purpose: string): CheckResult {
  const path = findProgram(program, process.env['PATH']);
  return path === undefined ? result(program, 'absent', `not there; ${purpose}`) : result(program, 'ok', path);
}
