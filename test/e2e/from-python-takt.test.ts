import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startScriptedModel, type ScriptedModel } from '../../src/agents/scripted-model.ts';
import { giveResult } from '../../src/agents/scripted-scenario.ts';
import { taktInTerminal } from '../cli/takt-process.ts';
import { openHousehold, PROJECT, type Household } from '../driver/household.ts';
import { until } from '../driver/until.ts';
import { testNeeding } from '../driver/machine.ts';
import { atRest, type Effect, effects, type Seen } from './python-takt-effects.ts';

const test = testNeeding('curl');

/** One row of a table: what was typed, what is typed today, and the exit code that the row states. */
interface Row {
  readonly section: string;
  readonly before: string;
  readonly now: string;
  readonly exitCode: number;
}

/** All rows of all tables but that of words, whatever is in them. */
function rowsOf(page: string): Row[] {
  let section = '';
  return page.split('\n').flatMap((line) => {
    section = /^## (.*)$/.exec(line)?.[1] ?? section;
    if (!line.trimStart().startsWith('|') || section === 'Words') return [];
    const [, before = '', now = '', note = ''] = line.split('|').map((cell) => cell.trim());
    if (before === 'before' || /^:?-+:?$/.test(before)) return [];
    return [{ section, before, now, exitCode: Number(/exit code (\d+)/.exec(note)?.[1] ?? 0) }];
  });
}

/** The one command of a row, or undefined if its cell is anything but that. */
const commandOf = ({ now }: Row): string | undefined => /^`((?:takt|curl) [^`]+)`$/.exec(now)?.[1];
const hasCounterpart = ({ now }: Row): boolean => now !== 'no counterpart';
const oldCommandOf = ({ before }: Row): string => before.replaceAll('`', '');

/** As a shell takes them; single quotes are all that the page has. */
const wordsOf = (command: string): string[] =>
  [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);

const rows = rowsOf(readFileSync(join(PROJECT, 'docs', 'from-python-takt.md'), 'utf8')).filter(hasCounterpart);

test('every row of the page has one command, and an effect that shows whether it is the right one', () => {
  const old = rows.map(oldCommandOf);

  assert.deepEqual(
    rows.filter((row) => commandOf(row) === undefined).map(({ now }) => now),
    [],
    'the second cell is one `takt …` or `curl …`, or says: no counterpart',
  );
  assert.deepEqual(old.toSorted(), Object.keys(effects).toSorted());
});

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

  for (const row of rows) {
    const effect = effects[oldCommandOf(row)];
    assert.ok(effect !== undefined, `nobody knows what ${row.now} is to do`);
    await effect.prepare?.(house);
    await carryOut(house, row, effect);
    if (row.section !== 'bin/takt_service.py') await atRest(house);
  }
});

async function carryOut(house: Household, row: Row, effect: Effect): Promise<void> {
  const line = commandOf(row) ?? assert.fail(row.now);
  const words = wordsOf(line);
  if (effect.whileItGoesOn !== undefined)
    return showsMeanwhile(house, words, { shows: effect.shows, act: effect.whileItGoesOn });
  const isAsked = words.includes('delete') && !words.includes('--yes');
  const seen = await (isAsked ? answered : ended)(house, words, row);
  assert.ok(await effect.shows(seen), `${line} does not do what ${oldCommandOf(row)} did\n${seen.said}`);
}

async function ended(house: Household, words: readonly string[], { now, exitCode }: Row): Promise<Seen> {
  const child = start(house, words);
  const { said } = hear(child);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  assert.equal(code, exitCode, `${now}\n${said()}`);
  return { said: said(), house, pid: child.pid! };
}

async function answered(house: Household, words: readonly string[], { now, exitCode }: Row): Promise<Seen> {
  const { HOME: user, TAKT_HOME: home } = house.environment;
  const env = { HOME: user!, TAKT_HOME: home! };
  const { code, screen } = await taktInTerminal(words.slice(1), { env, input: 'y\n' });
  assert.equal(code, exitCode, `${now}\n${screen}`);
  return { said: screen, house, pid: 0 };
}

const ROUNDS = 15;
const ROUND_MS = 2_000;

/** Lets a command go on until it shows its effect; then it is ended. */
async function showsMeanwhile(
  house: Household,
  words: readonly string[],
  { act, shows }: Pick<Effect, 'shows'> & { readonly act: (house: Household) => Promise<unknown> },
): Promise<void> {
  const child = start(house, words);
  const end = new Promise((resolve) => child.once('close', resolve));
  const { said } = hear(child);
  const isShown = async (): Promise<boolean> => {
    assert.equal(child.exitCode, null, `${words.join(' ')} has ended\n${said()}`);
    return shows({ said: said(), house, pid: child.pid! });
  };
  try {
    for (let round = 1; !(await isShown()); round += 1) {
      assert.ok(round <= ROUNDS, `${words.join(' ')} does not show what it should, but\n${said()}`);
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
