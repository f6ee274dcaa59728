import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunSummary } from '../../src/contract/run.ts';
import type { Household } from '../driver/household.ts';
import { until } from '../driver/until.ts';

/** What a command said, and where to look for what it did. */
export interface Seen {
  readonly said: string;
  readonly house: Household;
  /** Of the command's process. */
  readonly pid: number;
}

/** How it shows that a command does what its row on the page promises. */
export interface Effect {
  /** Sees to it that there is something to be done, and notes how things were. */
  readonly prepare?: (house: Household) => Promise<unknown>;
  /** For a command that goes on: done again and again, since nobody knows when it has begun to listen. */
  readonly whileItGoesOn?: (house: Household) => Promise<unknown>;
  readonly shows: (seen: Seen) => boolean | Promise<boolean>;
}

const TASK = 'feature-auth';
const REPOS = ['RepoA', 'RepoB'];
const nothing = (): Promise<void> => Promise.resolve();

let pushes = 0;

/** Commits in both clones of the task, and pushes that to the root repos. */
async function pushWork(house: Household): Promise<void> {
  const name = `work-${(pushes += 1)}`;
  for (const repo of REPOS) {
    const clone = house.clone(TASK, repo);
    await writeFile(join(clone, `${name}.txt`), name);
    await house.git(clone, 'add', '-A');
    await house.git(clone, 'commit', '-q', '-m', name);
    await house.git(clone, 'push', '-q');
  }
}

/** No run is left at work, which would be in the way of the next command. */
export async function atRest(house: Household): Promise<void> {
  await until('the runs to end', async () => {
    const { runs } = await house.json<{ runs: RunSummary[] }>('run', 'list');
    return runs.every(({ endedAtMs }) => endedAtMs !== null) ? true : undefined;
  });
}

const upstreamOf = (house: Household, repo: string): string => join(house.folder, 'upstream', `${repo}.git`);

/** Somebody else commits to both upstreams. */
async function upstreamMoves(house: Household): Promise<void> {
  for (const repo of REPOS) {
    const seed = join(house.folder, 'seed', repo);
    await house.git(seed, 'commit', '-q', '--allow-empty', '-m', 'by somebody else');
    await house.git(seed, 'push', '-q', upstreamOf(house, repo), 'HEAD:main');
  }
}

async function areFetched(house: Household, ...repos: string[]): Promise<boolean> {
  const pairs = repos.map(async (repo) => [
    await house.git(house.root(repo), 'rev-parse', 'refs/remotes/upstream/main'),
    await house.git(upstreamOf(house, repo), 'rev-parse', 'main'),
  ]);
  return (await Promise.all(pairs)).every(([known, theirs]) => known === theirs);
}

/** Where the task's branch is upstream, in both repos; empty where it is not. */
async function releasedHeads(house: Household): Promise<string[]> {
  const ask = ['for-each-ref', '--format=%(objectname)', `refs/heads/${TASK}`];
  return Promise.all(REPOS.map((repo) => house.git(upstreamOf(house, repo), ...ask)));
}

async function isReleased(house: Household): Promise<boolean> {
  const heads = await Promise.all(REPOS.map((repo) => house.git(house.clone(TASK, repo), 'rev-parse', 'HEAD')));
  return (await releasedHeads(house)).join() === heads.join();
}

const stepsOf = async (house: Household): Promise<string> =>
  (await house.json<{ steps: string[] }>('workspace', 'show', TASK)).steps.join(' ');
const hasSteps = (steps: string): Effect => ({
  prepare: (house) => house.ok('workspace', 'pipeline-set', TASK, 'run:true'),
  shows: async ({ house }) => (await stepsOf(house)) === steps,
});

const runsOf = async (house: Household): Promise<RunSummary[]> =>
  (await house.json<{ runs: RunSummary[] }>('run', 'list', '--workspace', TASK)).runs;

const showsPipeline: Effect = {
  shows: ({ said }) => /^# +STEP +KIND .*\n1 +test +agent .*\n2 +push_to_github +script /.test(said),
};
const removes = (name: string): Effect => {
  const isThere = (house: Household): boolean => existsSync(join(house.home, 'workspaces', name));
  let wasThere = false;
  return {
    prepare: async (house) => void (wasThere = isThere(house)),
    shows: ({ house }) => wasThere && !isThere(house),
  };
};

let runsBefore = 0;
let releasedBefore: string[] = [];

const byWorkspaceScript: Record<string, Effect> = {
  'bin/workspace.py create feature-auth RepoA RepoB': {
    shows: ({ house }) => REPOS.every((repo) => existsSync(join(house.clone(TASK, repo), '.git'))),
  },
  'bin/workspace.py list': { shows: ({ said }) => /^NAME [^]*^feature-auth .*[^]*^old-idea /m.test(said) },
  'bin/workspace.py status feature-auth': {
    shows: ({ said }) => /^feature-auth\n[^]*^REPO +BRANCH +CLONE +ROOT [^]*^RepoA [^]*^RepoB /m.test(said),
  },
  'bin/workspace.py pipeline-set feature-auth test push_to_github': hasSteps('test push_to_github'),
  'bin/workspace.py pipeline-show feature-auth': showsPipeline,
  'bin/workspace.py runs feature-auth': {
    async prepare(house) {
      await house.ok('workspace', 'pipeline-set', 'old-plan', 'run:true');
      for (const workspace of [TASK, 'old-plan']) await house.ok('workspace', 'trigger', workspace, '--wait');
    },
    shows: ({ said }) => /feature-auth.* passed/.test(said) && !said.includes('old-plan'),
  },
  'bin/workspace.py trigger feature-auth': {
    prepare: async (house) => void (runsBefore = (await runsOf(house)).length),
    shows: async ({ house }) => (await runsOf(house)).length === runsBefore + 1,
  },
  'bin/workspace.py pipeline feature-auth': showsPipeline,
  'bin/workspace.py stage-list feature-auth': showsPipeline,
  'bin/workspace.py stage-list': { shows: ({ said }) => /^feature-auth .* test → push_to_github /m.test(said) },
  'bin/workspace.py stage-add feature-auth review': hasSteps('test review push_to_github'),
  'bin/workspace.py stage-remove feature-auth review': hasSteps('test push_to_github'),
  'bin/workspace.py stage-refresh feature-auth test': {
    shows: ({ said, house }) => {
      const text = readFileSync(join(house.home, 'templates', 'pipeline_roles.md'), 'utf8');
      const role = text.split(/^## /m).find((section) => section.startsWith('test\n')) ?? '';
      return said.includes('Your stage result') && role.includes(said.trim().split('\n').at(-1)!);
    },
  },
  'bin/workspace.py stage-refresh --all': { shows: ({ said }) => /^ROLE [^]*^test [^]*^review /m.test(said) },
  'bin/workspace.py delete old-idea': removes('old-idea'),
  'bin/workspace.py delete -f old-plan': removes('old-plan'),
  'bin/workspace.py delete old-stages --cascade': removes('old-stages'),
};

const byPushScript: Record<string, Effect> = {
  'bin/push_to_github.py feature-auth --dry-run': {
    async prepare(house) {
      // With `push_to_github` in its pipeline, a push to the root repos would send everything out by itself.
      await house.ok('workspace', 'pipeline-set', TASK, 'run:true');
      await pushWork(house);
      releasedBefore = await releasedHeads(house);
    },
    shows: async ({ said, house }) =>
      said.includes(`work-${pushes}`) && (await releasedHeads(house)).join() === releasedBefore.join(),
  },
  'bin/push_to_github.py feature-auth --repos RepoA RepoB': { shows: ({ house }) => isReleased(house) },
  'bin/push_to_github.py feature-auth': { prepare: pushWork, shows: ({ house }) => isReleased(house) },
};

/** The folders that a process has the file system tell of. */
function watchedBy(pid: number): number {
  const folder = `/proc/${pid}/fdinfo`;
  return readdirSync(folder)
    .flatMap((name) => readIfThere(join(folder, name)).split('\n'))
    .filter((line) => line.startsWith('inotify wd:')).length;
}

/** A process closes files while one looks. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}

const byWatchScript: Record<string, Effect> = {
  'bin/pipeline_watch.py': {
    whileItGoesOn: pushWork,
    shows: ({ said, pid }) => / RepoA +feature-auth .* moved /.test(said) && watchedBy(pid) > 0,
  },
  'bin/pipeline_watch.py --interval 60': {
    whileItGoesOn: nothing,
    shows: ({ said, pid }) => /^watching \d+ branches of 2 repos$/m.test(said) && watchedBy(pid) === 0,
  },
  'bin/pipeline_watch.py --once': {
    async prepare(house) {
      await house.ok('watch', '--once');
      await pushWork(house);
    },
    shows: ({ said }) => / RepoA +feature-auth .* moved .*\n.* RepoB +feature-auth .* moved /.test(said),
  },
  'bin/pipeline_watch.py --reset': { shows: ({ said }) => /^Noted where \d+ branches are in 2 repos; /.test(said) },
};

function jsonOf<Reply>(said: string): Reply | undefined {
  return said.startsWith('{') ? (JSON.parse(said) as Reply) : undefined;
}

const byHand: Record<string, Effect> = {
  'git pull in root/RepoA': {
    prepare: upstreamMoves,
    shows: async ({ said, house }) => !said.includes('RepoB') && areFetched(house, 'RepoA'),
  },
  'git pull in each root repo': { prepare: upstreamMoves, shows: ({ house }) => areFetched(house, ...REPOS) },
  'curl http://localhost:7433/api/workspaces': {
    shows: ({ said }) => jsonOf<{ workspaces?: { name: string }[] }>(said)?.workspaces?.[0]?.name === TASK,
  },
  "curl 'http://localhost:7433/api/runs?workspace=feature-auth'": {
    shows: ({ said }) => {
      const runs = jsonOf<{ runs?: RunSummary[] }>(said)?.runs ?? [];
      return runs.length > 0 && runs.every(({ workspace }) => workspace === TASK);
    },
  },
  "curl -N 'http://localhost:7433/api/events?topics=step.update'": {
    whileItGoesOn: (house) => house.ok('workspace', 'trigger', TASK),
    shows: ({ said }) => said.includes('event: step.update') && !said.includes('event: run.update'),
  },
};

const statusOf = async (house: Household): Promise<number> => (await house.takt('service', 'status')).code;
const IS_GONE = 69;
const parentOf = (pid: number): number => Number(/^PPid:\s*(\d+)$/m.exec(readIfThere(`/proc/${pid}/status`))?.[1]);
let pidBefore = 0;
const notePid = async (house: Household): Promise<void> => void (pidBefore = await house.servicePid());

const byService: Record<string, Effect> = {
  'bin/takt_service.py': {
    prepare: (house) => house.ok('service', 'stop'),
    whileItGoesOn: nothing,
    shows: async ({ house, pid }) => (await statusOf(house)) === 0 && parentOf(await house.servicePid()) === pid,
  },
  'systemctl --user start takt-service': {
    prepare: (house) => until('no service', async () => ((await statusOf(house)) === IS_GONE ? true : undefined)),
    shows: async ({ house }) => (await statusOf(house)) === 0,
  },
  'systemctl --user status takt-service': {
    prepare: notePid,
    shows: async ({ said, house }) =>
      new RegExp(`^The service runs\\.\n[^]*^  process +${pidBefore}, `, 'm').test(said) &&
      (await house.servicePid()) === pidBefore,
  },
  'systemctl --user restart takt-service': {
    prepare: notePid,
    shows: async ({ house }) => (await house.servicePid()) !== pidBefore,
  },
  'journalctl --user -u takt-service -f': {
    whileItGoesOn: nothing,
    shows: ({ said }) => /^\d{4}-\S+ \S+ info .*listening at http/m.test(said),
  },
  'systemctl --user stop takt-service': { shows: async ({ house }) => (await statusOf(house)) === IS_GONE },
  'systemctl --user enable takt-service, after copying the unit': {
    shows: ({ said }) => said.includes('takt: No systemd of this user answers'),
  },
};

/** By the old command, as the page has it. */
export const effects: Readonly<Record<string, Effect>> = {
  ...byWorkspaceScript,
  ...byPushScript,
  ...byWatchScript,
  ...byHand,
  ...byService,
};
