import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Fault } from '../contract/faults.ts';
import { pause } from '../platform/wait.ts';
import { endRun, removeFolder } from './demo/clear-demo.ts';
import { type Commands, commandsWith } from './demo/commands.ts';
import { demoEnvironment, type DemoModel, startDemoModel } from './demo/model.ts';
import { failingTest, sampleRepos, TEST_COMMAND } from './demo/sample-repos.ts';

const WORKSPACE = 'mend-invoice';
const REPOS = ['money', 'pricing', 'shop'] as const;
const RUN_SHOWS_UP_WITHIN_MS = 15_000;
const CLEAN_UP_LIMIT_MS = 60_000;

/**
 * Shows the main job from an empty folder to mended upstreams, and gives the exit code: 0 only if
 * the upstreams hold code that passes the tests. The home is temporary and goes away, also
 * when the demo is interrupted, unless `keep` is set or something failed.
 */
export async function runDemo({ live, keep }: { live: boolean; keep: boolean }, signal: AbortSignal): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'takt-demo-'));
  const model = live ? undefined : await startDemoModel();
  const environment = await demoEnvironment(folder, model);
  const commands = commandsWith(environment, signal);
  let isMended = false;
  try {
    introduce(model, folder);
    await makeUpstreams(commands, folder);
    await setUp(commands, folder);
    await pushFailingTest(commands, folder);
    await followRun(commands, folder, signal);
    isMended = await upstreamsAreMended(commands, folder);
  } finally {
    // The demo's own signal may be the reason why we are here.
    const closing = commandsWith(environment, AbortSignal.timeout(CLEAN_UP_LIMIT_MS));
    if (!isMended) await endRun(closing, folder, WORKSPACE);
    await closing.quietTakt(folder, 'service', 'stop');
    await model?.close();
    // What failed is kept to be looked at; who interrupts has seen enough.
    if ((isMended || signal.aborted) && !keep) await removeFolder(folder);
    else
      process.stdout.write(
        `\nThe demo's folder stays: ${folder} (TAKT_HOME=${join(folder, 'home')} TAKT_PORT=${environment['TAKT_PORT']})\n`,
      );
  }
  process.stdout.write(
    isMended
      ? '\nDone: the three upstreams hold the mended code, and its tests pass.\n'
      : '\nFailed: the upstreams do not hold mended code.\n',
  );
  return isMended ? 0 : 1;
}

function say(text: string): void {
  process.stdout.write(`\n── ${text}\n`);
}

function introduce(model: DemoModel | undefined, folder: string): void {
  say(`takt demo, in ${folder}`);
  process.stdout.write(
    model === undefined
      ? 'Agents are the real Claude Code with your own login and model.\n'
      : 'Agents are the real Claude Code and really edit files; its model is a script on loopback, so no network and no login are needed.\n',
  );
}

async function makeUpstreams(commands: Commands, folder: string): Promise<void> {
  for (const name of REPOS) {
    const work = join(folder, 'seed', name);
    for (const [path, text] of Object.entries(sampleRepos[name].files)) {
      await mkdir(dirname(join(work, path)), { recursive: true });
      await writeFile(join(work, path), text);
    }
    for (const args of [
      ['init', '-q', '-b', 'main'],
      ['add', '-A'],
      ['commit', '-q', '-m', `${name}: start`],
      ['clone', '-q', '--bare', '.', upstreamOf(folder, name)],
    ]) {
      const { code } = await commands.quiet(work, 'git', args);
      if (code !== 0) throw new Fault('GIT_FAILED', `git ${args.join(' ')} ended with exit code ${code} in ${work}.`);
    }
  }
}

const upstreamOf = (folder: string, name: string): string => join(folder, 'upstream', `${name}.git`);

async function setUp(commands: Commands, folder: string): Promise<void> {
  say('A home, and a mirror of each of three repositories that need each other');
  await commands.takt(folder, 'init');
  for (const name of REPOS) {
    const needs = sampleRepos[name].dependsOn.flatMap((needed) => ['--depends-on', needed]);
    await commands.takt(folder, 'repo', 'add', name, upstreamOf(folder, name), ...needs);
  }
  say('One task: one name, one branch in all three, and a pipeline');
  await commands.takt(folder, 'workspace', 'create', WORKSPACE, ...REPOS);
  await commands.takt(
    folder,
    'workspace',
    'pipeline-set',
    WORKSPACE,
    `run:! ${TEST_COMMAND}`,
    'implement',
    `run:${TEST_COMMAND}`,
    'review',
    'push_to_github',
  );
}

async function pushFailingTest(commands: Commands, folder: string): Promise<void> {
  say('A developer adds a test that fails, and pushes: that starts the pipeline');
  const clone = join(folder, 'home', 'workspaces', WORKSPACE, failingTest.repo);
  await writeFile(join(clone, failingTest.path), failingTest.text);
  await commands.git(clone, 'add', failingTest.path);
  await commands.git(clone, 'commit', '-q', '-m', failingTest.message);
  await commands.git(clone, 'push', '-q');
}

async function followRun(commands: Commands, folder: string, signal: AbortSignal): Promise<void> {
  const end = Date.now() + RUN_SHOWS_UP_WITHIN_MS;
  while ((await commands.quietTakt(folder, 'run', 'show', WORKSPACE, '--json')).code !== 0) {
    if (Date.now() > end) throw new Fault('INTERNAL', 'The push started no run.');
    await pause(100, signal);
  }
  say('The run, live: the tests fail, an agent mends two repos, the tests pass, a second agent reviews, all goes out');
  await commands.takt(folder, 'run', 'logs', WORKSPACE, '--follow');
  await commands.takt(folder, 'run', 'show', WORKSPACE);
  await commands.takt(folder, 'run', 'diff', WORKSPACE);
}

/** Clones the branch from each upstream, as a colleague would, and runs the tests there. */
async function upstreamsAreMended(commands: Commands, folder: string): Promise<boolean> {
  say('What a colleague gets from the upstreams');
  const check = join(folder, 'check');
  await mkdir(check);
  for (const name of REPOS) {
    const { code } = await commands.quiet(check, 'git', [
      'clone',
      '-q',
      '--branch',
      WORKSPACE,
      upstreamOf(folder, name),
      name,
    ]);
    if (code === 0) continue;
    // A repo that the run left as it was has nothing to send; its default branch is what a colleague gets.
    const fallback = await commands.quiet(check, 'git', ['clone', '-q', upstreamOf(folder, name), name]);
    if (fallback.code !== 0) return false;
  }
  const { code, stdout } = await commands.quiet(check, 'sh', ['-c', TEST_COMMAND]);
  process.stdout.write(
    `${TEST_COMMAND}: exit ${code}\n${stdout
      .split('\n')
      .filter((line) => /^(#|ℹ) (tests|pass|fail) /.test(line))
      .join('\n')}\n`,
  );
  return code === 0;
}
