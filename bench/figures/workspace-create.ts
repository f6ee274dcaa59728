import { randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openHousehold, type Household } from '../../test/driver/household.ts';
import { alternate, type Figure, ratioBar } from '../figure.ts';

const PAIRS = 15;
const REPOS = 10;
const FILES = 3_000;
const FILE_BYTES = 17_000;
const AT_ONCE = 2;
const run = promisify(execFile);

export const workspaceCreate: Figure = {
  name: 'workspace-create',
  about:
    '`takt workspace create` over 10 repos (30,000 files, 510 MB), beside the same clones by bare git, two at a time',
  async measure(report) {
    await using household = await openHousehold();
    report('generating 10 repos');
    const repos = await bigRepos(household);

    const create = (round: number): Promise<unknown> => household.ok('workspace', 'create', `round-${round}`, ...repos);
    const clone = (round: number): Promise<void> =>
      clonePlainly(household, repos, join(household.folder, `plain-${round}`));
    // Deleting is not measured, but has to happen between the rounds: 15 pairs would fill 15 GB.
    const times = await alternate(
      PAIRS,
      async (round) => {
        await create(round);
      },
      clone,
      async (round) => {
        report(`pair ${round + 1} of ${PAIRS}`);
        await household.ok('workspace', 'delete', `round-${round}`, '--yes');
        await rm(join(household.folder, `plain-${round}`), { recursive: true });
      },
    );
    return ratioBar(times.a, times.b, 1.25, 'git clone');
  },
};

/** Adds ten generated repos to the home and gives their names. */
export async function bigRepos(household: Household): Promise<string[]> {
  const names = Array.from({ length: REPOS }, (_, index) => `big${index}`);
  for (const name of names) {
    const folder = join(household.folder, 'seed', name);
    for (let part = 0; part < FILES / 100; part += 1) {
      await mkdir(join(folder, `part${part}`), { recursive: true });
      await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          writeFile(join(folder, `part${part}`, `file${index}.txt`), randomBytes(FILE_BYTES * 0.75).toString('base64')),
        ),
      );
    }
    await household.git(folder, 'init', '-q', '-b', 'main');
    await household.git(folder, 'add', '-A');
    await household.git(folder, 'commit', '-q', '-m', 'start');
    await household.ok('repo', 'add', name, folder);
  }
  return names;
}

async function clonePlainly(household: Household, repos: readonly string[], folder: string): Promise<void> {
  await mkdir(folder);
  const queue = [...repos];
  const worker = async (): Promise<void> => {
    for (let repo = queue.shift(); repo !== undefined; repo = queue.shift()) {
      await run('git', ['clone', '-q', '--branch', 'main', household.root(repo), join(folder, repo)], {
        env: household.environment,
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
