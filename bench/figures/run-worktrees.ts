import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openHousehold } from '../../test/driver/household.ts';
import { until } from '../../test/driver/until.ts';
import type { Run } from '../../src/contract/run.ts';
import { alternate, type Figure, median, quantile } from '../figure.ts';
import { bigRepos } from './workspace-create.ts';

const PAIRS = 15;
const LIMIT = 1.25;

export const runWorktrees: Figure = {
  name: 'run-worktrees',
  about:
    'the setup step of a run over 10 repos (30,000 files, 510 MB), beside `git worktree add` of the same, one after the other',
  async measure(report) {
    await using household = await openHousehold();
    report('generating 10 repos');
    const repos = await bigRepos(household);
    await household.ok('workspace', 'create', 'task', ...repos);
    await household.ok('workspace', 'pipeline-set', 'task', 'run:true');
    const setups: number[] = [];

    // What counts is the setup step itself: queueing and the steps after it are not what git does.
    const plain = await alternate(
      PAIRS,
      async () => {
        await household.ok('workspace', 'trigger', 'task', '--wait');
        const run = await household.json<Run>('run', 'show', 'task');
        const setup = run.steps[0]!.attempts[0]!;
        setups.push(setup.endedAtMs! - setup.startedAtMs);
      },
      async (round) => {
        for (const repo of repos)
          await household.git(
            household.root(repo),
            'worktree',
            'add',
            '-q',
            '--detach',
            join(household.folder, `plain-${round}`, repo),
            'main',
          );
      },
      async (round) => {
        report(`pair ${round + 1} of ${PAIRS}`);
        await rm(join(household.folder, `plain-${round}`), { recursive: true });
        for (const repo of repos) await household.git(household.root(repo), 'worktree', 'prune');
        await until('the run folder to be gone', async () =>
          (await household.json<Run>('run', 'show', 'task')).folder === null ? true : undefined,
        );
      },
    );
    const ratio = median(setups) / median(plain.b);
    return {
      values: {
        taktMedianMs: median(setups),
        taktP99Ms: quantile(setups, 0.99),
        plainMedianMs: median(plain.b),
        plainP99Ms: quantile(plain.b, 0.99),
        ratio,
        pairs: PAIRS,
      },
      bars: [{ rule: `median at most ${LIMIT} × git worktree add`, isKept: ratio <= LIMIT }],
    };
  },
};
