import packageJson from '../../../package.json' with { type: 'json' };
import { claudeExecutable } from '../../agents/claude-executable.ts';
import { projectFolder } from '../../cli/project-folder.ts';
import { findProgram, systemProgram } from '../../confinement/find-program.ts';
import { probeConfinement } from '../../confinement/probe.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { bounded, type Check, type CheckResult, result } from './check.ts';
import { checkDisk } from './disk-check.ts';
import { checkPort } from './port-check.ts';
import { firstLineOf } from './program-version.ts';

/** `git merge-tree --write-tree`, with which takt merges, came with this version. */
const GIT_NEEDED = [2, 38] as const;

/** What takt needs of this machine, with or without a home. */
export function machineChecks(layout: HomeLayout, signal: AbortSignal): Check[] {
  return [
    () => result('takt', 'ok', `${packageJson.version}, in ${projectFolder()}`),
    checkNode,
    bounded('git', { signal }, checkGit),
    bounded('Claude Code', { signal }, checkClaude),
    bounded('bubblewrap', { signal }, checkConfinement),
    checkSetpriv,
    bounded('systemd', { signal }, checkSystemd),
    () => checkTmux(),
    bounded('disk', { signal }, () => checkDisk(layout)),
    bounded('port', { signal }, () => checkPort(layout)),
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

/** Of a configuration that is not valid, which keeps git from starting, another check tells. */
const WITHOUT_SETTINGS = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };

async function checkGit(signal: AbortSignal): Promise<CheckResult> {
  const said = await firstLineOf('git', ['version'], signal, WITHOUT_SETTINGS);
  if (said === undefined) return result('git', 'broken', 'does not start', 'Install git (`apt install git`).');
  const [, major = 0, minor = 0] = /(\d+)\.(\d+)/.exec(said)?.map(Number) ?? [];
  const isNewEnough = major > GIT_NEEDED[0] || (major === GIT_NEEDED[0] && minor >= GIT_NEEDED[1]);
  return isNewEnough
    ? result('git', 'ok', said)
    : result('git', 'broken', said, `takt needs git ${GIT_NEEDED.join('.')} or newer.`);
}

async function checkClaude(signal: AbortSignal): Promise<CheckResult> {
  const executable = claudeExecutable();
  const fix = 'Run `npm ci` in the folder of takt.';
  if (executable === undefined) return result('Claude Code', 'broken', 'was not installed with takt', fix);
  const version = await firstLineOf(executable, ['--version'], signal);
  return version === undefined
    ? result('Claude Code', 'broken', `${executable} does not start`, fix)
    : result('Claude Code', 'ok', version);
}

async function checkConfinement(signal: AbortSignal): Promise<CheckResult> {
  const { works, why } = await probeConfinement({ signal });
  const version = works ? await firstLineOf('bwrap', ['--version'], signal) : undefined;
  if (works) return result('bubblewrap', 'ok', `${version ?? 'it'} starts: work is confined`);
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

/** Only `takt service install` needs it, and that says itself what is missing. */
async function checkSystemd(signal: AbortSignal): Promise<CheckResult> {
  const version = await firstLineOf('systemctl', ['--version'], signal);
  const purpose = 'needed only to install the service as a unit';
  if (version === undefined) return result('systemd', 'absent', `not there; ${purpose}`);
  const answers = (await firstLineOf('systemctl', ['--user', 'show-environment'], signal)) !== undefined;
  return answers
    ? result('systemd', 'ok', `${version}, with a manager for this user`)
    : result('systemd', 'absent', `${version}, but no manager for this user answers; ${purpose}`);
}

function checkTmux(): CheckResult {
  const path = findProgram('tmux', process.env['PATH']);
  return path === undefined
    ? result('tmux', 'absent', 'not there; needed only to watch agents in a terminal')
    : result('tmux', 'ok', path);
}
