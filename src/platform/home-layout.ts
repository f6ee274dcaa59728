import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where everything of one home lies. All paths are absolute; nothing here touches the disk. */
export interface HomeLayout {
  readonly home: string;
  readonly reposFile: string;
  readonly settingsFile: string;
  /** `config/files/<repo>/…`: files that `copy` brings into clones and worktrees. */
  readonly copiedFiles: string;
  readonly templates: string;
  readonly rolesFile: string;
  readonly context: string;
  readonly roots: string;
  readonly workspaces: string;
  readonly runs: string;
  readonly state: string;
  readonly database: string;
  /** Spool folders of attempts, one each. */
  readonly attemptsSpool: string;
  /** Files that the post-receive hooks of root repos write. */
  readonly pushSpool: string;
  /** FIFO that the hooks poke. */
  readonly pokeFifo: string;
  readonly socket: string;
  readonly token: string;
  readonly serviceLog: string;
  /** What the last start in the background printed before its log was open. */
  readonly serviceStartLog: string;
  readonly lock: string;
  /** Writable homes of agents, one per run. */
  readonly agentHomes: string;
  /** Caches of worktree folders, per workspace and repo. */
  readonly caches: string;
  root(repo: string): string;
  workspace(workspace: string): string;
  clone(workspace: string, repo: string): string;
  runFolder(workspace: string, number: number): string;
  attemptSpool(attempt: string): string;
}

/** The layout of the home in `folder`. */
export function homeLayout(folder: string): HomeLayout {
  const home = resolve(folder);
  const state = join(home, '.state');
  const roots = join(home, 'root');
  const workspaces = join(home, 'workspaces');
  const runs = join(home, 'runs');
  const attemptsSpool = join(state, 'spool', 'attempts');
  return {
    home,
    reposFile: join(home, 'config', 'repos.yaml'),
    settingsFile: join(home, 'config', 'settings.yaml'),
    copiedFiles: join(home, 'config', 'files'),
    templates: join(home, 'templates'),
    rolesFile: join(home, 'templates', 'pipeline_roles.md'),
    context: join(home, 'context'),
    roots,
    workspaces,
    runs,
    state,
    database: join(state, 'takt.db'),
    attemptsSpool,
    pushSpool: join(state, 'spool', 'pushes'),
    pokeFifo: join(state, 'poke'),
    socket: join(state, 'takt.sock'),
    token: join(state, 'token'),
    serviceLog: join(state, 'service.log'),
    serviceStartLog: join(state, 'service-start.log'),
    lock: join(state, 'service.lock'),
    agentHomes: join(state, 'agents'),
    caches: join(state, 'cache'),
    root: (repo) => join(roots, repo),
    workspace: (workspace) => join(workspaces, workspace),
    clone: (workspace, repo) => join(workspaces, workspace, repo),
    runFolder: (workspace, number) => join(runs, `${workspace}-${number}`),
    attemptSpool: (attempt) => join(attemptsSpool, attempt),
  };
}

/** The home that the environment names: `TAKT_HOME`, else `~/dev`. */
export function homeFolder(environment: NodeJS.ProcessEnv): string {
  const named = environment['TAKT_HOME'];
  return named === undefined || named === '' ? join(homedir(), 'dev') : resolve(named);
}
