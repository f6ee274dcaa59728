import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { AttemptHost } from '../../src/contract/attempt.ts';
import { pause } from '../../src/platform/wait.ts';
import { lastLines } from '../../src/store/last-lines.ts';
import { type DeskHome, openDeskHome } from './desk-home.ts';

/** The step host itself, from its source: what it does in a worktree is real git in a real process. */
const REAL_HOST = [process.execPath, join(import.meta.dirname, '..', '..', 'src', 'bin', 'step-host.ts')];
const command = (run: string, more: object = {}): Record<string, unknown> => ({ kind: 'command', run, ...more });

/** Kills the host of the newest attempt of a step, once the step has printed a line. */
async function killHostAfter(home: DeskHome, run: string, step: string, line: string): Promise<void> {
  const signal = AbortSignal.timeout(30_000);
  for (;;) {
    const steps = home.runs().find((each) => each.id === run)?.steps;
    const attempt = steps?.find((each) => each.name === step)?.attempts.at(-1);
    if (attempt !== undefined && lastLines(home.database, attempt.id, 5).includes(line)) {
      const taken = await readFile(join(home.layout.attemptSpool(attempt.id), 'taken'), 'utf8');
      process.kill(AttemptHost.parse(JSON.parse(taken)).pid, 'SIGKILL');
      return;
    }
    await pause(20, signal);
  }
}

test('commands work in fresh worktrees, and what they commit or leave lands', async () => {
  await using home = await openDeskHome();
  home.setSteps(
    command('cd app && echo made > made.txt && git add made.txt && git commit -qm made && echo left > left.txt'),
    command('cat app/made.txt app/left.txt docs/file.txt && test "$(git -C app status --porcelain)" = ""'),
  );
  await using desk = await home.openDesk({ hostCommand: REAL_HOST });

  const run = await desk.until(await desk.trigger('work', null), 'passed', 'failed');

  assert.equal(run.state, 'passed', JSON.stringify([run.reason, run.lastLines]));
  assert.deepEqual(home.git('app', 'ls-tree', '--name-only', 'work').split('\n'), ['file.txt', 'left.txt', 'made.txt']);
  assert.equal(home.git('app', 'log', '-1', '--format=%cn', 'work'), 'takt');
  assert.equal(home.tip('lib'), home.tip('lib', 'main'));
  await desk.stop();
  assert.equal(home.runs()[0]?.folder, null);
  assert.equal(existsSync(home.layout.runFolder('work', 1)), false);
});

test('a failed command keeps its folder, and what it left is pinned beside the branch', async () => {
  await using home = await openDeskHome();
  home.setSteps(command('cd app && echo left > left.txt && exit 3'));
  await using desk = await home.openDesk({ hostCommand: REAL_HOST });
  const before = home.tip('app');

  const run = await desk.until(await desk.trigger('work', null), 'passed', 'failed');

  assert.equal(run.state, 'failed');
  assert.equal(run.steps[1]?.attempts[0]?.exitCode, 3);
  assert.equal(existsSync(join(run.folder!, 'app', 'left.txt')), true);
  assert.equal(home.tip('app'), before);
  assert.deepEqual(
    run.pins.map((pin) => [pin.repo, pin.what, home.git('app', 'show', `${pin.ref}:left.txt`)]),
    [['app', 'leftover', 'left']],
  );
});

test('what a command left whose host was killed is pinned, and the command starts again from the recorded tree', async () => {
  await using home = await openDeskHome();
  const go = join(home.layout.home, 'go');
  home.settings = { confinement: 'off' };
  home.setSteps(
    command(`cd app && ls && echo left > left-$$.txt && echo waits && until [ -e ${go} ]; do sleep 0.05; done`),
  );
  await using desk = await home.openDesk({ hostCommand: REAL_HOST });
  const id = await desk.trigger('work', null);

  await killHostAfter(home, id, 'step-1', 'waits');
  await writeFile(go, '');
  const run = await desk.until(id, 'passed', 'failed');

  assert.equal(run.state, 'passed', JSON.stringify([run.reason, run.lastLines]));
  const [vanished, salvage, last] = run.steps[1]!.attempts;
  assert.deepEqual(
    [vanished?.state, salvage?.state, salvage?.isSalvage, last?.state],
    ['interrupted', 'passed', true, 'passed'],
  );
  const pin = run.pins.find((each) => each.commit === salvage?.repos[0]?.head);
  assert.match(home.git('app', 'ls-tree', '--name-only', pin!.ref), /^left-\d+\.txt$/m);
  assert.deepEqual(lastLines(home.database, last!.id, 3).slice(-2), ['file.txt', 'waits']);
  assert.equal(home.git('app', 'ls-tree', '--name-only', 'work').match(/left-/g)?.length, 1);
});

test('a retry after the folder was lost makes fresh worktrees at what had passed', async () => {
  await using home = await openDeskHome();
  const go = join(home.layout.home, 'go');
  home.settings = { confinement: 'off' };
  home.setSteps(command('echo made > app/made.txt'), command(`cat app/made.txt && test -e ${go}`));
  await using desk = await home.openDesk({ hostCommand: REAL_HOST });
  const id = await desk.trigger('work', null);
  await desk.until(id, 'failed');
  home.settings = { confinement: 'off', keep_failed_days: 0 };
  {
    await using _later = await home.openDesk({ hostCommand: REAL_HOST });
    const signal = AbortSignal.timeout(10_000);
    while (home.runs()[0]?.folder !== null) await pause(20, signal);
  }

  await writeFile(go, '');
  await desk.retry(id, undefined);
  const run = await desk.until(id, 'passed', 'failed');

  assert.equal(run.state, 'passed', JSON.stringify([run.reason, run.lastLines]));
  assert.deepEqual(
    run.steps.map((step) => step.attempts.length),
    [2, 1, 2],
  );
});

test('work that could not be taken out is still there after retries, and after one by hand', async () => {
  await using home = await openDeskHome();
  home.setSteps(command('cd app && echo mine > mine.txt && ls && rm -rf .git && exit 1', { retries: 2 }));
  await using desk = await home.openDesk({ hostCommand: REAL_HOST });

  const run = await desk.until(await desk.trigger('work', null), 'failed');
  await writeFile(join(run.folder!, 'app', 'first.txt'), 'of the first try');
  await desk.retry(run.id, undefined);
  await desk.until(run.id, 'failed');

  assert.deepEqual(
    run.steps[1]!.attempts.map((attempt) => attempt.isSalvage === true),
    [false, true],
  );
  const [aside] = globSync(`${run.folder}.kept-*/app/first.txt`);
  assert.ok(aside);
  assert.equal(existsSync(join(run.folder!, 'app', 'first.txt')), false);
});

test('the folder of a run that passed stays where it holds a repository that no commit can hold', async () => {
  await using home = await openDeskHome();
  home.setSteps(command('cd app && git init -q nested && echo n > nested/n.txt && git checkout -q -b other'));
  await using desk = await home.openDesk({ hostCommand: REAL_HOST });

  const run = await desk.until(await desk.trigger('work', null), 'passed', 'failed');
  await desk.stop();

  assert.equal(run.state, 'passed', JSON.stringify(run.reason));
  assert.equal(existsSync(join(home.layout.runFolder('work', 1), 'app', 'nested', 'n.txt')), true);
});
