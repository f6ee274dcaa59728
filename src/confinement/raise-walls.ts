import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Fault } from '../contract/faults.ts';
import type { ConfinementMode } from '../contract/pipeline.ts';
import { bindArguments, dropCommand, namespaceArguments, systemArguments, type Bind } from './bubblewrap.ts';
import { findProgram, systemProgram } from './find-program.ts';
import { knownToWork } from './probe.ts';
import type { Walls } from './walls.ts';
import { accountFiles, WORK_HOME, workUser } from './work-user.ts';
import { workTools, type WorkTools } from './work-tools.ts';

/** What the walls of one attempt are to let through. Paths are absolute. */
export interface WallsPlan {
  readonly mode: ConfinementMode;
  /** Writable: the run's worktrees. Neither folder has to exist before `wrap` is called. */
  readonly runFolder: string;
  /** Writable: HOME. The folder above it is takt's own, and keeps what the walls need. */
  readonly agentFolder: string;
  /** The `objects` folders of the root repos. */
  readonly rootObjects: readonly string[];
  readonly toolchains: readonly string[];
  readonly readable: readonly string[];
  readonly signal: AbortSignal;
  /** Where PATH, locale, certificates and proxies are taken from; takt's own environment by default. */
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * Makes ready to start commands inside walls. `auto` does without them where bubblewrap does not start; `strict`
 * gives the fault CONFINEMENT_MISSING there. A toolchain that is missing or that holds the home is CONFIG_INVALID.
 */
export async function raiseWalls(plan: WallsPlan): Promise<Walls> {
  checkToolchains(plan);
  const tools = workTools(plan.toolchains, plan.environment ?? process.env);
  if (plan.mode === 'off') return guardRail(plan, tools);
  const keep = wallsFolder(plan.agentFolder);
  mkdirSync(keep, { recursive: true });
  const probe = await knownToWork(keep, plan);
  if (probe.works) return bubblewrapWalls(plan, tools, keep);
  if (plan.mode === 'strict')
    throw new Fault('CONFINEMENT_MISSING', `Work cannot be confined on this machine: ${probe.why}`);
  return guardRail(plan, tools);
}

/** Where the walls of all runs keep what they need: takt's own folder, which no work sees. */
export function wallsFolder(agentFolder: string): string {
  return join(dirname(agentFolder), '.walls');
}

/** A folder that is shown and holds the home would show the token, the store and the other workspaces. */
function checkToolchains({ toolchains, readable, agentFolder, runFolder }: WallsPlan): void {
  for (const folder of [...toolchains, ...readable]) {
    if (!existsSync(folder))
      throw new Fault('CONFIG_INVALID', `The folder ${folder}, which work is to see, does not exist.`);
    const real = realpathSync(folder);
    if ([agentFolder, runFolder].some((path) => `${path}/`.startsWith(real === '/' ? '/' : `${real}/`))) {
      throw new Fault('CONFIG_INVALID', `The folder ${folder}, which work is to see, holds the home of takt.`, {
        hint: 'Name the toolchain’s own folder under `toolchains` in settings.yaml.',
      });
    }
  }
}

function bubblewrapWalls(plan: WallsPlan, tools: WorkTools, keep: string): Walls {
  if (plan.agentFolder.startsWith('/usr/')) {
    throw new Fault('CONFINEMENT_MISSING', 'Work cannot be confined while the home lies below /usr, which it sees.', {
      hint: 'Move the home.',
    });
  }
  const isRoot = process.getuid?.() === 0;
  const user = workUser();
  const { passwd, group } = accountFiles(keep);
  const bwrap = findProgram('bwrap', process.env['PATH']) ?? 'bwrap';
  const drop = dropCommand(isRoot, systemProgram('setpriv') ?? 'setpriv', user);
  const namespaces = namespaceArguments(isRoot);
  const binds: Bind[] = [
    { from: passwd, to: '/etc/passwd', isWritable: false },
    { from: group, to: '/etc/group', isWritable: false },
    ...[...plan.rootObjects, ...plan.readable, ...tools.readable].map(readOnly),
    ...[plan.runFolder, plan.agentFolder].map(writable),
  ];
  const env = { ...tools.env, HOME: plan.agentFolder, TMPDIR: '/tmp', USER: 'takt', LOGNAME: 'takt' };
  return {
    used: { filesystem: 'bubblewrap', network: 'open', user: isRoot ? 'dropped' : 'own' },
    user,
    wrap(command, extra) {
      const more = [...(extra.readable ?? []).map(readOnly), ...(extra.writable ?? []).map(writable)];
      const variables = Object.entries({ ...env, ...extra.env }).flatMap(([name, value]) => ['--setenv', name, value]);
      const status = extra.statusFd === undefined ? [] : ['--json-status-fd', String(extra.statusFd)];
      const args = [
        ...namespaces,
        ...systemArguments({ isLocal: extra.isLocal === true }),
        '--symlink',
        plan.agentFolder,
        WORK_HOME,
        ...status,
        ...bindArguments([...binds, ...more]),
        '--remount-ro',
        '/',
        '--chdir',
        extra.cwd,
        ...variables,
      ];
      // Its own environment stays readable for the work as that of process 1, so that it has none.
      return { command: bwrap, args: [...args, '--', ...drop, ...command], env: {}, cwd: '/' };
    },
  };
}

/** No walls: the same environment, and the first process dies with the host where `setpriv` can arrange it. */
function guardRail(plan: WallsPlan, tools: WorkTools): Walls {
  const setpriv = findProgram('setpriv', process.env['PATH']);
  const dies = setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL', '--'];
  const temporary = join(plan.agentFolder, 'tmp');
  return {
    used: { filesystem: 'none', network: 'open', user: 'own' },
    user: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    wrap(command, extra) {
      mkdirSync(temporary, { recursive: true });
      const [program, ...args] = [...dies, ...command];
      if (program === undefined) throw new Fault('INTERNAL', 'A command without a program.');
      return {
        command: program,
        args,
        env: { ...tools.env, HOME: plan.agentFolder, TMPDIR: temporary, ...extra.env },
        cwd: extra.cwd,
      };
    },
  };
}

const readOnly = (path: string): Bind => ({ from: path, to: path, isWritable: false });
const writable = (path: string): Bind => ({ from: path, to: path, isWritable: true });
