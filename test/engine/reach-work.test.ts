import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { printRun } from '../../src/cli/print/run-page.ts';
import { runPrinters } from '../../src/cli/print/runs.ts';
import { styleFor } from '../../src/cli/styles.ts';
import type { Fault } from '../../src/contract/faults.ts';
import type { Run } from '../../src/contract/run.ts';
import { furnishRoot } from '../../src/git/root-furniture.ts';
import { diffRun } from '../../src/service/operations/run/diff-run.ts';
import { showRun } from '../../src/service/operations/run/show-run.ts';
import { type DeskHome, openDeskHome } from './desk-home.ts';

const REAL_HOST = [process.execPath, join(import.meta.dirname, '..', '..', 'src', 'bin', 'step-host.ts')];
const page = { width: null, style: styleFor(false), nowMs: 0 };
const signal = AbortSignal.timeout(120_000);

const command = (run: string, more: object = {}): Record<string, unknown> => ({ kind: 'command', run, ...more });
const COMMITS = 'cd app && echo made > made.txt && git add . && git commit -qm made';

/** A home whose root repos are furnished as real ones are, with the workspace's clone of `app`. */
async function homeWithClone(): Promise<{ home: DeskHome; clone: string }> {
  const home = await openDeskHome();
  for (const repo of ['app', 'lib', 'docs']) await furnishRoot(home.layout.root(repo));
  const clone = home.layout.clone('work', 'app');
  execFileSync('git', ['clone', '--quiet', '--branch', 'work', home.layout.root('app'), clone]);
  return { home, clone };
}

/** Runs what was printed, as somebody would in another folder. */
function shell(line: string, protocol = '2'): { status: number | null; stderr: string } {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: '/nonexistent',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.org',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.org',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'protocol.version',
    GIT_CONFIG_VALUE_0: protocol,
  };
  return spawnSync('sh', ['-c', line], { cwd: '/', env, encoding: 'utf8' });
}

function must(line: string | undefined, protocol?: string): void {
  assert.ok(line);
  const ended = shell(line, protocol);
  assert.equal(ended.status, 0, `${line}\n${ended.stderr}`);
}

const show = (home: DeskHome, run: string): Promise<Run> => showRun(home, { run }, signal);
const diff = (home: DeskHome, run: string): ReturnType<typeof diffRun> => diffRun(home, { run } as never, signal);

for (const protocol of ['0', '2']) {
  test(`the commands printed for pinned work bring it into the clone, with protocol ${protocol}`, async () => {
    const { home, clone } = await homeWithClone();
    await using _home = home;
    home.setSteps(command(`${COMMITS} && echo left > left.txt && exit 3`));
    await using desk = await home.openDesk({ hostCommand: REAL_HOST });
    const { id } = await desk.until(await desk.trigger('work', null), 'failed');

    const run = await show(home, id);
    const text = printRun(run, page);
    const [head, leftover] = run.pins;

    assert.deepEqual([head?.what, leftover?.what], ['head', 'leftover']);
    for (const { look, take } of run.pins) {
      assert.ok(text.includes(look!) && text.includes(take!), text);
      must(look, protocol);
    }
    must(head!.take, protocol);
    assert.equal(home.git('app', '-C', clone, 'log', '-1', '--format=%s'), 'made');
    must(leftover!.take, protocol);
    assert.equal(home.git('app', '-C', clone, 'status', '--porcelain'), 'A  left.txt');
  });
}

test('other branches that a passed step left come into a branch of the clone', async () => {
  const { home, clone } = await homeWithClone();
  await using _home = home;
  home.setSteps(command('cd app && git switch -qc aside && git commit -qm aside --allow-empty && git checkout -q -'));
  await using desk = await home.openDesk({ hostCommand: REAL_HOST });
  const { id } = await desk.until(await desk.trigger('work', null), 'passed');

  const [others] = (await show(home, id)).pins;

  assert.equal(others?.what, 'others');
  must(others.look);
  must(others.take);
  assert.match(home.git('app', '-C', clone, 'log', '--format=%s', `kept-${others.commit.slice(0, 12)}`), /^aside$/m);
  assert.deepEqual((await diffRun(home, { run: id, step: 'step-1' } as never, signal)).repos, []);
});

test('what a failed step stashed is found beside what it had not committed', async () => {
  const { home, clone } = await homeWithClone();
  await using _home = home;
  const stash = 'cd app && echo stashed > stashed.txt && git add . && git stash -q && echo un > un.txt && exit 1';
  home.setSteps(command(stash));
  await using desk = await home.openDesk({ hostCommand: REAL_HOST });
  const { id } = await desk.until(await desk.trigger('work', null), 'failed');

  const shown = await show(home, id);
  const others = shown.pins.find(({ what }) => what === 'others');
  const leftover = shown.pins.find(({ what }) => what === 'leftover');
  must(leftover?.take);
  must(others?.take);

  assert.equal(readFileSync(join(clone, 'un.txt'), 'utf8'), 'un\n');
  const kept = `kept-${others!.commit.slice(0, 12)}`;
  assert.equal(home.git('app', '-C', clone, 'show', `${kept}^2:stashed.txt`).trim(), 'stashed');
});

test('a folder that holds more than commits can stays, whatever later steps bring out', async () => {
  const { home } = await homeWithClone();
  await using _home = home;
  const own = 'cd app && git init -q own && cd own && echo precious > code && git add . && git commit -qm own';
  home.setSteps(command(`${own} && cd .. && git add . 2> /dev/null && git commit -qm app`), command('true'));
  await using desk = await home.openDesk({ hostCommand: REAL_HOST });
  const { id } = await desk.until(await desk.trigger('work', null), 'passed');

  const { folder } = await show(home, id);
  await desk.stop();

  assert.equal(readFileSync(join(folder!, 'app/own/code'), 'utf8'), 'precious\n');
});

test('a run that did not pass shows the pinned work of its last step, and whose it is', async () => {
  await using home = await openDeskHome();
  home.setSteps(
    command('cd app && echo one > one.txt'),
    command(`${COMMITS} && echo left > left.txt && cd ../lib && echo two > two.txt && exit 3`),
  );
  await using desk = await home.openDesk({ hostCommand: REAL_HOST });
  const { id } = await desk.until(await desk.trigger('work', null), 'failed');

  const reply = await diff(home, id);
  const text = runPrinters['run.diff'](reply, page);

  assert.deepEqual(
    reply.repos.map(({ repo, files, pinnedOf }) => [repo, files, pinnedOf]),
    [
      ['app', 3, 'step-2'],
      ['lib', 1, 'step-2'],
    ],
  );
  assert.match(text, /── app: 3 files, \+3 -0; pinned work of step-2, which did not pass\n/);
  assert.match(text, /\+left/);
});

test('only a run with commits to land is said to be landable', async () => {
  const { home } = await homeWithClone();
  await using _home = home;
  home.setSteps(command('cd app && echo left > left.txt && exit 3'));
  await using desk = await home.openDesk({ hostCommand: REAL_HOST });
  const { id } = await desk.until(await desk.trigger('work', null), 'failed');

  const superseded = { ...(await show(home, id)), state: 'superseded' as const };
  const committed = { ...superseded, pins: superseded.pins.map((pin) => ({ ...pin, what: 'head' as const })) };

  assert.doesNotMatch(printRun(superseded, page), /takt run land/);
  assert.match(printRun(superseded, page), /to fetch it: git -C .* merge --squash FETCH_HEAD\n/);
  assert.match(printRun(committed, page), /`takt run land work\/1` takes its commits in/);
  await assert.rejects(desk.land(id), { code: 'RUN_STATE' });
});

test('work with no commit in common is refused with a sentence, and its hint merges it', async () => {
  const { home, clone } = await homeWithClone();
  await using _home = home;
  home.setSteps(command('cd app && git checkout -q --orphan fresh && git commit -qm fresh'));
  await using desk = await home.openDesk({ hostCommand: REAL_HOST });
  const { id } = await desk.until(await desk.trigger('work', null), 'passed');

  const text = printRun(await show(home, id), page);
  const fault = await desk.land(id).then(
    () => assert.fail('it landed'),
    (error: Fault) => error,
  );

  assert.match(text, /landed +nothing; app: the run rewrote commits that it began with/);
  assert.match(text, /`takt run land work\/1` merges the commits that did not land/);
  assert.equal(fault.code, 'LANDING_CONFLICT');
  assert.equal(fault.message, 'In app, the work of run 1 has no commit in common with the branch.');
  must(fault.hint.replace('To merge it by hand: ', ''));
  assert.match(home.git('app', '-C', clone, 'log', '--format=%s'), /^fresh$/m);
});

test('the hint of a landing in conflict begins that merge in the clone', async () => {
  const { home, clone } = await homeWithClone();
  await using _home = home;
  home.setSteps(command('cd app && echo mine > file.txt && git commit -qam mine && exit 3'));
  await using desk = await home.openDesk({ hostCommand: REAL_HOST });
  const { id } = await desk.until(await desk.trigger('work', null), 'failed');
  const [pin] = (await show(home, id)).pins;
  home.push('app', 'theirs');
  execFileSync('git', ['-C', clone, 'pull', '--quiet']);

  const fault = await desk.land(id).then(
    () => assert.fail('it landed'),
    (error: Fault) => error,
  );

  assert.equal(fault.code, 'LANDING_CONFLICT');
  assert.notEqual(shell(fault.hint.replace('To merge it by hand: ', '')).status, 0);
  assert.equal(home.git('app', '-C', clone, 'rev-parse', 'MERGE_HEAD'), pin!.commit);
});

test('a run whose branch was deleted, or pushed over, says that nothing landed and why', async () => {
  const { home } = await homeWithClone();
  await using _home = home;
  const go = join(home.layout.home, 'go');
  home.settings = { confinement: 'off' };
  home.setSteps(command(`${COMMITS} && while [ ! -e ${go} ]; do sleep 0.05; done`));
  await using desk = await home.openDesk({ hostCommand: REAL_HOST });
  const id = await desk.trigger('work', null);
  await desk.until(id, 'running');
  home.push('app', 'theirs');
  await writeFile(go, '');
  const ended = await desk.until(id, 'passed', 'failed', 'superseded');
  assert.equal(ended.state, 'passed', JSON.stringify([ended.reason, ended.lastLines, ended.steps]));

  const pushed = printRun(await show(home, id), page);
  home.git('app', 'update-ref', 'refs/heads/work', (await show(home, id)).pins[0]!.commit);
  const byHand = printRun(await show(home, id), page);
  home.git('app', 'update-ref', '-d', 'refs/heads/work');
  const deleted = printRun(await show(home, id), page);

  assert.match(pushed, /landed +nothing; app: the branch moved meanwhile, by a push or a pull/);
  assert.match(pushed, /takt run land/);
  assert.match(byHand, /landed +nothing; app: the branch holds it by now, from a push/);
  assert.doesNotMatch(byHand, /takt run land/);
  assert.match(deleted, /landed +nothing; app: the branch was deleted/);
  assert.doesNotMatch(deleted, /takt run land/);
});

test('a run on a branch that is gone is refused with what brings it back', async () => {
  const { home } = await homeWithClone();
  await using _home = home;
  home.setSteps(command('true'));
  await using desk = await home.openDesk();
  home.git('app', 'update-ref', '-d', 'refs/heads/work');

  const fault = await desk.trigger('work', null).then(
    () => assert.fail('it began'),
    (error: Fault) => error,
  );

  assert.equal(fault.code, 'BRANCH_MISSING');
  must(/`(.*)`/.exec(fault.hint)?.[1]);
  assert.equal(home.tip('app'), home.tip('app', 'main'));
  assert.equal(existsSync(home.layout.runFolder('work', 1)), false);
});
