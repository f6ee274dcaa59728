import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Run } from '../../src/contract/run.ts';
import { type Household, openHousehold } from '../driver/household.ts';
import { until } from '../driver/until.ts';
import { testNeeding } from '../driver/machine.ts';

const test = testNeeding('bwrap');

const REPOS = Array.from({ length: 10 }, (_, index) => `repo-${index}`);
/** Twenty tasks, each over two or three of the repos that are next to each other. */
const TASKS = Array.from({ length: 20 }, (_, index) => ({
  name: `task-${index}`,
  repos: Array.from({ length: index % 2 === 0 ? 3 : 2 }, (__, more) => REPOS[(index + more) % REPOS.length] ?? ''),
}));
/** In these tasks the first repo's shared file is changed where upstream changes it as well. */
const IN_CONFLICT = ['task-3', 'task-8', 'task-17'];
const LINES = Array.from({ length: 12 }, (_, line) => `line ${line}\n`);
const shared = (line: number, text: string): string => LINES.with(line, `${text}\n`).join('');

/** Does it with each, a few at a time: every command is a process of its own. */
async function each<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const rest = [...items];
  const goOn = async (): Promise<void> => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: 4 }, goOn));
}

async function openFleet(): Promise<Household> {
  const household = await openHousehold();
  await writeFile(join(household.home, 'config', 'settings.yaml'), 'steps_at_once: 20\nfetch_interval_s: 0\n');
  await household.ok('service', 'start');
  await each(REPOS, async (repo) => {
    const upstream = await household.upstream(repo, { 'shared.txt': LINES.join(''), 'README.md': `${repo}\n` });
    await household.ok('repo', 'add', repo, upstream);
  });
  await each(TASKS, async ({ name, repos }) => {
    await household.ok('workspace', 'create', name, ...repos);
    for (const [at, repo] of repos.entries()) {
      const clone = household.clone(name, repo);
      await writeFile(join(clone, `${name}.txt`), `${name}\n`);
      const line = at === 0 && IN_CONFLICT.includes(name) ? 11 : 0;
      await writeFile(join(clone, 'shared.txt'), shared(line, `of ${name}`));
      await household.git(clone, 'add', '-A');
      await household.git(clone, 'commit', '-q', '-m', `work of ${name}`);
      await household.git(clone, 'push', '-q');
    }
  });
  // Upstream's default branches move on.
  await each(REPOS, async (repo) => {
    const seed = join(household.folder, 'seed', repo);
    await writeFile(join(seed, 'shared.txt'), shared(11, 'of upstream'));
    await household.git(seed, 'commit', '-q', '-a', '-m', 'upstream went on');
    await household.git(seed, 'push', '-q', join(household.folder, 'upstream', `${repo}.git`), 'main');
  });
  await each(TASKS, ({ name }) => household.ok('workspace', 'pipeline-set', name, 'merge_upstream'));
  return household;
}

async function untilEnded(household: Household, count: number): Promise<Run[]> {
  const ended = await until(
    `${count} runs to end`,
    async () => {
      const { runs } = await household.json<{ runs: Run[] }>('run', 'list', '--limit', '100');
      return runs.length === count && runs.every(({ endedAtMs }) => endedAtMs !== null) ? runs : undefined;
    },
    120_000,
  );
  const shown: Run[] = [];
  await each(ended, async ({ id }) => shown.push(await household.json<Run>('run', 'show', id)));
  return shown;
}

/** What a merge that was not brought to its end leaves, in root repos, clones and worktrees. */
async function leftovers(household: Household): Promise<string[]> {
  const folders = ['root', 'workspaces', 'runs'].map((name) => join(household.home, name));
  const entries = await Promise.all(folders.map((folder) => readdir(folder, { recursive: true })));
  assert.ok(entries.every((found) => found.length > 0));
  return entries
    .flat()
    .filter((path) => /\.lock$|(^|\/)(MERGE_HEAD|MERGE_MSG|MERGE_MODE|AUTO_MERGE|takt-merging)$/.test(path));
}

async function tips(household: Household): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  await each(TASKS, async ({ name, repos }) => {
    for (const repo of repos)
      found[`${name} ${repo}`] = await household.git(household.root(repo), 'rev-parse', `refs/heads/${name}`);
  });
  return found;
}

const failing = (run: Run): boolean => IN_CONFLICT.includes(run.workspace);

test('twenty workspaces on ten repos merge at once: three are in conflict, and nothing is left half-done', async (t) => {
  await using household = await openFleet();
  const before = await tips(household);

  await Promise.all(TASKS.map(({ name }) => household.ok('workspace', 'trigger', name)));
  const runs = await untilEnded(household, TASKS.length);
  const after = await tips(household);

  await t.test('seventeen pass, and each of their branches holds both sides', async () => {
    const passed = runs.filter((run) => !failing(run));
    assert.equal(passed.length, 17);
    await each(passed, async (run) => {
      assert.equal(run.state, 'passed', JSON.stringify(run, null, 1));
      assert.equal(run.landing, 'whole');
      for (const { repo, landed } of run.repos) {
        assert.equal(landed, after[`${run.workspace} ${repo}`]);
        const root = household.root(repo);
        const upstream = await household.git(join(household.folder, 'upstream', `${repo}.git`), 'rev-parse', 'main');
        assert.equal(
          await household.git(root, 'log', '-1', '--format=%P', String(landed)),
          `${before[`${run.workspace} ${repo}`]} ${upstream}`,
        );
        assert.equal(
          await household.git(root, 'show', `${landed}:shared.txt`),
          LINES.with(0, `of ${run.workspace}\n`).with(11, 'of upstream\n').join('').trim(),
        );
      }
    });
  });

  await t.test('three fail, name the right file, and leave all their branches where they were', () => {
    const failed = runs.filter(failing);
    assert.equal(failed.length, 3);
    for (const run of failed) {
      const first = TASKS.find(({ name }) => name === run.workspace)?.repos[0];
      assert.deepEqual([run.state, run.reason?.class], ['failed', 'conflict'], JSON.stringify(run, null, 1));
      const result = run.steps.at(-1)?.attempts.at(-1)?.result;
      assert.deepEqual(
        result?.findings.map(({ repo, file }) => [repo, file]),
        [[first, 'shared.txt']],
      );
      assert.match(
        result?.findings[0]?.message ?? '',
        /^ours changed it \(.* work of task-\d+\); theirs changed it \(.* upstream went on\)$/,
      );
      for (const { repo } of run.repos)
        assert.equal(after[`${run.workspace} ${repo}`], before[`${run.workspace} ${repo}`]);
    }
  });

  await t.test('what is to be pushed are the task’s own commits, as the root repos know what was fetched', async () => {
    const { name, repos } = TASKS[0] ?? { name: '', repos: [] };
    await each(repos, async (repo) => {
      const upstream = await household.git(join(household.folder, 'upstream', `${repo}.git`), 'rev-parse', 'main');
      await until(`main of ${repo} to follow`, async () =>
        (await household.git(household.root(repo), 'rev-parse', 'main')) === upstream ? true : undefined,
      );
    });
    const plan = await household.json<{ repos: { commits: number }[] }>('push', name, '--dry-run');
    assert.deepEqual(
      plan.repos.map(({ commits }) => commits),
      [2, 2, 2],
    );
  });

  await t.test('no lock and no half merge is anywhere, and the root repos are whole', async () => {
    assert.deepEqual(await leftovers(household), []);
    await each(REPOS, (repo) => household.git(household.root(repo), 'fsck', '--full', '--strict'));
  });

  await t.test('the printed commands resolve one of them, and the retried run passes', async () => {
    const task = IN_CONFLICT[0] ?? '';
    const run = runs.find(({ workspace }) => workspace === task);
    const repo = TASKS.find(({ name }) => name === task)?.repos[0] ?? '';
    await resolveAsPrinted(household, await household.ok('run', 'logs', task), {
      file: join(household.clone(task, repo), 'shared.txt'),
      text: shared(11, 'of both'),
    });
    const [resolved] = await untilEndedOf(household, run?.id ?? '');

    assert.equal(resolved?.state, 'passed', JSON.stringify(resolved, null, 1));
    assert.equal(resolved?.landing, 'whole');
    for (const each of resolved?.repos ?? []) {
      const branch = await household.git(household.root(each.repo), 'rev-parse', task);
      assert.equal(each.landed, branch);
      await household.git(
        household.root(each.repo),
        'merge-base',
        '--is-ancestor',
        before[`${task} ${each.repo}`] ?? '',
        branch,
      );
    }
    assert.equal(await household.git(household.root(repo), 'show', `${task}:shared.txt`), shared(11, 'of both').trim());
    assert.deepEqual(await leftovers(household), []);
  });
});

/** Types what the step printed, and mends the file where it says so. */
async function resolveAsPrinted(
  household: Household,
  logs: string,
  mended: { readonly file: string; readonly text: string },
): Promise<void> {
  const lines = logs.split('\n');
  const printed = lines.slice(lines.findIndex((line) => line.includes('To make the merge by hand')) + 1);
  const commands = printed.map((line) => line.trim()).filter((line) => /^(git|takt|#) /.test(line));
  assert.equal(commands.length, 7, logs);
  for (const command of commands) {
    if (command.startsWith('#')) {
      assert.match(await readFile(mended.file, 'utf8'), /<<<<<<< HEAD/);
      await writeFile(mended.file, mended.text);
    } else if (command.startsWith('takt ')) {
      await household.ok(...command.split(' ').slice(1));
    } else {
      const isMerge = command.includes(' merge ');
      const run = promisify(execFile)('sh', ['-c', command], { cwd: '/', env: household.environment });
      await (isMerge ? assert.rejects(run) : run);
    }
  }
}

async function untilEndedOf(household: Household, id: string): Promise<Run[]> {
  return [
    await until('the retried run to end', async () => {
      const run = await household.json<Run>('run', 'show', id);
      return run.endedAtMs === null ? undefined : run;
    }),
  ];
}
