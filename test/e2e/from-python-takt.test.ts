import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startScriptedModel, type ScriptedModel } from '../../src/agents/scripted-model.ts';
import { giveResult } from '../../src/agents/scripted-scenario.ts';
import type { RunSummary } from '../../src/contract/run.ts';
import { taktInTerminal } from '../cli/takt-process.ts';
import { openHousehold, PROJECT, until, type Household } from '../driver/household.ts';
import { testNeeding } from '../driver/machine.ts';

const test = testNeeding('curl');

/** One row of a table: what is typed today, and the exit code that it states. */
interface Row {
  readonly section: string;
  readonly before: string;
  readonly words: readonly string[];
  readonly line: string;
  readonly exitCode: number;
}

/** The rows whose second cell is a command. */
function rowsOf(page: string): Row[] {
  let section = '';
  return page.split('\n').flatMap((line) => {
    section = /^## (.*)$/.exec(line)?.[1] ?? section;
    const [, before = '', now = '', note = ''] = line.split('|').map((cell) => cell.trim());
    const command = /^`((?:takt|curl) [^`]+)`$/.exec(now)?.[1];
    if (command === undefined) return [];
    const exitCode = Number(/exit code (\d+)/.exec(note)?.[1] ?? 0);
    return [{ section, before, line: command, words: wordsOf(command), exitCode }];
  });
}

/** As a shell takes them; single quotes are all that the page has. */
const wordsOf = (command: string): string[] =>
  [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);

const rows = rowsOf(readFileSync(join(PROJECT, 'docs', 'from-python-takt.md'), 'utf8'));

interface Following {
  /** Done again and again, since nobody knows when the command has begun to listen. */
  readonly act: (house: Household) => Promise<unknown>;
  /** What has to be so before it is ended. */
  readonly shows: (said: string, house: Household) => boolean | Promise<boolean>;
}

const following: Record<string, Following> = {
  'takt watch': { act: pushWork, shows: (said) => said.includes('feature-auth') },
  'takt watch --poll 60': { act: nothing, shows: (said) => /watching \d+ branches/.test(said) },
  "curl -N 'http://localhost:7433/api/events?topics=step.update'": {
    act: (house) => house.ok('workspace', 'trigger', 'feature-auth'),
    shows: (said) => said.includes('event: step.update'),
  },
  'takt service run': {
    act: nothing,
    shows: async (_, house) => (await house.takt('service', 'status')).code === 0,
  },
  'takt service logs -f': { act: nothing, shows: (said) => said.trim() !== '' },
};

/** What a section of the page takes for granted. */
const before: Record<string, (house: Household) => Promise<unknown>> = {
  'bin/push_to_github.py': async (house) => {
    // With `push_to_github` in its pipeline, a push to the root repos would send everything out by itself.
    await house.ok('workspace', 'pipeline-set', 'feature-auth', 'run:true');
    await pushWork(house);
  },
  'bin/takt_service.py': (house) => house.ok('service', 'stop'),
};

async function nothing(): Promise<void> {
  // It shows something by itself.
}

let pushes = 0;

async function pushWork(house: Household): Promise<void> {
  const name = `work-${(pushes += 1)}`;
  for (const repo of ['RepoA', 'RepoB']) {
    const clone = house.clone('feature-auth', repo);
    await writeFile(join(clone, `${name}.txt`), name);
    await house.git(clone, 'add', '-A');
    await house.git(clone, 'commit', '-q', '-m', name);
    await house.git(clone, 'push', '-q');
  }
}

/** No run is left at work, which would be in the way of the next command. */
async function atRest(house: Household): Promise<void> {
  await until('the runs to end', async () => {
    const { runs } = await house.json<{ runs: RunSummary[] }>('run', 'list');
    return runs.every(({ endedAtMs }) => endedAtMs !== null) ? true : undefined;
  });
}

async function sampleHousehold({ url }: ScriptedModel): Promise<Household> {
  const house = await openHousehold({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'scripted' });
  for (const repo of ['RepoA', 'RepoB'])
    await house.ok('repo', 'add', repo, await house.upstream(repo, { 'README.md': `${repo}\n` }));
  for (const name of ['old-idea', 'old-plan', 'old-stages']) await house.ok('workspace', 'create', name, 'RepoA');
  return house;
}

test('every command on the page about the Python takt does what its row says', async () => {
  await using model = await startScriptedModel({
    scenario: { test: [giveResult({ verdict: 'passed', summary: 'Fine.' })] },
  });
  await using house = await sampleHousehold(model);
  let section = '';

  for (const row of rows) {
    if (row.section !== section) await before[row.section]?.(house);
    section = row.section;
    await carryOut(house, row);
    if (section !== 'bin/takt_service.py') await atRest(house);
  }
});

async function carryOut(house: Household, row: Row): Promise<void> {
  const { line, words, exitCode } = row;
  const follows = following[line];
  if (follows !== undefined) return follow(house, row, follows);
  if (line === 'takt workspace delete old-idea') {
    const { HOME: user, TAKT_HOME: home } = house.environment;
    const { code, screen } = await taktInTerminal(words.slice(1), {
      env: { HOME: user!, TAKT_HOME: home! },
      input: 'y\n',
    });
    assert.equal(code, 0, `${line}\n${screen}`);
    return;
  }
  const { code, said } = await ended(start(house, words));
  assert.equal(code, exitCode, `${line}\n${said()}`);
}

const ROUNDS = 15;
const ROUND_MS = 2_000;

async function follow(house: Household, { line, words }: Row, { act, shows }: Following): Promise<void> {
  const child = start(house, words);
  const end = ended(child);
  const { said } = hear(child);
  const isShown = async (): Promise<boolean> => {
    assert.equal(child.exitCode, null, `${line} has ended\n${said()}`);
    return shows(said(), house);
  };
  try {
    for (let round = 1; !(await isShown()); round += 1) {
      assert.ok(round <= ROUNDS, `${line} does not show what it should, but\n${said()}`);
      await act(house);
      const roundEndsAtMs = Date.now() + ROUND_MS;
      await until('this round', async () => ((await isShown()) || Date.now() > roundEndsAtMs ? true : undefined));
    }
  } finally {
    child.kill('SIGTERM');
    await end;
  }
}

/** The page speaks of the port that a home has by itself. */
function start(house: Household, [program, ...words]: readonly string[]): ChildProcess {
  if (program === 'takt') return house.start(...words);
  const own = words.map((word) => word.replace(':7433/', `:${house.port}/`));
  return spawn(program!, ['--silent', '--show-error', '--fail', ...own], {
    env: house.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function hear(child: ChildProcess): { said(): string } {
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  return { said: () => said };
}

async function ended(child: ChildProcess): Promise<{ code: number | null; said(): string }> {
  const { said } = hear(child);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, said };
}

test('the page has a row for every command that the scripts had', () => {
  const scripts = {
    'bin/workspace.py': [
      'create',
      'list',
      'status',
      'delete',
      'pipeline-set',
      'pipeline-show',
      'runs',
      'trigger',
      'stage-add',
      'stage-remove',
      'stage-list',
      'stage-refresh',
      'pipeline',
    ],
    'bin/push_to_github.py': ['feature-auth'],
    'bin/pipeline_watch.py': ['--once', '--interval', '--reset'],
    'systemctl --user': ['start', 'stop', 'restart', 'status', 'enable'],
    'bin/takt_service.py': [''],
    'journalctl --user': ['-u'],
  };

  const missing = Object.entries(scripts).flatMap(([script, verbs]) =>
    verbs
      .map((verb) => `${script} ${verb}`.trim())
      .filter((command) => !rows.some((row) => `${row.before.replaceAll('`', '')} `.startsWith(`${command} `))),
  );

  assert.deepEqual(missing, []);
});
