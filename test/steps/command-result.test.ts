import assert from 'node:assert/strict';
import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AttemptRequest } from '../../src/contract/attempt.ts';
import { newAttemptHome } from './attempt-home.ts';
import { testNeeding } from '../driver/machine.ts';

const test = testNeeding('bwrap');

const RESULT = JSON.stringify({
  verdict: 'passed',
  summary: 'All 12 tests passed.',
  findings: [{ severity: 'info', message: 'slow' }],
});

test('a command that fails is failed with its exit code, and what it left is pinned beside its commits', async (t) => {
  const home = newAttemptHome(t);
  await home.setUp();

  const { outcome, id } = await home.command('echo half > half.txt; echo "3 tests failed"; exit 3');

  assert.equal(outcome.state, 'failed');
  assert.equal(outcome.exitCode, 3);
  assert.deepEqual(outcome.reason, { class: 'exit_code', sentence: 'The command ended with exit code 3.' });
  assert.match(outcome.result?.summary ?? '', /3 tests failed/);
  const [app] = outcome.repos;
  assert.equal(app?.head, null);
  assert.equal(home.git('app', 'rev-parse', `refs/takt/runs/${home.run}/${id}/leftover`), app?.leftover);
  assert.equal(home.git('app', 'show', `${app?.leftover}:half.txt`), 'half');
});

test('a command that a signal ended has the exit code of a shell', async (t) => {
  const home = newAttemptHome(t);
  await home.setUp();

  const { outcome } = await home.command('kill -9 $$');

  assert.equal(outcome.state, 'failed');
  assert.equal(outcome.exitCode, 137);
});

test('one repo: the command starts in it; TAKT variables say where it is; the service’s own environment stays outside', async (t) => {
  const home = newAttemptHome(t);
  await home.setUp();
  const attempt = home.attempt({
    work: { kind: 'command', run: 'pwd; env', shell: '/bin/sh' },
    environment: { TAKT_PORT_BASE: '20000' },
  });

  attempt.startHost({ ANTHROPIC_API_KEY: 'sk-not-for-you', HOME: '/somewhere' });
  const outcome = await attempt.untilOutcome();

  const text = attempt.text();
  assert.equal(outcome.state, 'passed');
  assert.match(text, new RegExp(`^${home.runFolder}/app$`, 'm'));
  const expected = {
    TAKT_WORKSPACE: 'task',
    TAKT_RUN: '1',
    TAKT_STEP: 'check',
    TAKT_ATTEMPT: attempt.id,
    TAKT_REPOS: 'app',
    TAKT_PORT_BASE: '20000',
    TAKT_STAGE_RESULT: join(home.runFolder, '.takt/check-1.json'),
    HOME: home.agentFolder,
    GIT_AUTHOR_NAME: 'Ada',
    GIT_COMMITTER_NAME: 'takt',
  };
  for (const [name, value] of Object.entries(expected)) assert.match(text, new RegExp(`^${name}=${value}$`, 'm'));
  assert.doesNotMatch(text, /sk-not-for-you|ANTHROPIC/);
});

test('standard output and error can be opened once more, as scripts do', async (t) => {
  const home = newAttemptHome(t);
  await home.setUp();

  const { outcome, text } = await home.command(
    'echo one > /dev/stdout && echo two > /dev/stderr && echo three | tee /dev/stderr > /dev/null',
  );

  assert.equal(outcome.state, 'passed', text());
  assert.match(text(), /one[^]*two\nthree/);
});

test('a stage result that the command wrote counts', async (t) => {
  const home = newAttemptHome(t);
  await home.setUp();

  const { outcome } = await home.command(`printf '%s' '${RESULT}' > "$TAKT_STAGE_RESULT"`);

  assert.equal(outcome.state, 'passed');
  assert.deepEqual(outcome.result, JSON.parse(RESULT));
  assert.deepEqual(JSON.parse(readFileSync(join(home.runFolder, '.stage-result.json'), 'utf8')), JSON.parse(RESULT));
});

const judged: [name: string, line: string, state: string, reason: RegExp][] = [
  [
    'the verdict failed counts more than exit code 0',
    `echo '{"verdict":"failed","summary":"Too slow."}' > "$TAKT_STAGE_RESULT"`,
    'failed',
    /"verdict".*Too slow\./,
  ],
  ['a result that is not JSON is none', 'echo passed > "$TAKT_STAGE_RESULT"', 'unverified', /"no_result".*not JSON/],
  [
    'a result that does not fit is none',
    `echo '{"verdict":"great","summary":"x"}' > "$TAKT_STAGE_RESULT"`,
    'unverified',
    /"no_result".*verdict/,
  ],
  [
    'a monstrous result is none',
    'head -c 300000 /dev/zero > "$TAKT_STAGE_RESULT"',
    'unverified',
    /"no_result".*256 KiB/,
  ],
  ['a pipe in place of the result is none', 'mkfifo "$TAKT_STAGE_RESULT"', 'unverified', /"no_result".*regular file/],
  [
    'a link in place of the result is none',
    'echo "$LINKED" > there.json; ln -s "$PWD/there.json" "$TAKT_STAGE_RESULT"',
    'unverified',
    /"no_result".*regular file/,
  ],
  [
    'a link in place of the folder of results is none',
    'rm -rf ../.takt; mkdir t; ln -s app/t ../.takt; echo "$LINKED" > "$TAKT_STAGE_RESULT"',
    'unverified',
    /"no_result".*regular file/,
  ],
];
for (const [name, line, state, reason] of judged) {
  test(name, async (t) => {
    const home = newAttemptHome(t);
    await home.setUp();

    const { outcome, text } = await home.command(line, { environment: { LINKED: RESULT } });

    assert.equal(outcome.state, state, text());
    assert.match(JSON.stringify(outcome.reason), reason);
  });
}

test('control: the same result is taken where no link is in the way', async (t) => {
  const home = newAttemptHome(t);
  await home.setUp();

  const { outcome } = await home.command('echo "$LINKED" > "$TAKT_STAGE_RESULT"', { environment: { LINKED: RESULT } });

  assert.equal(outcome.state, 'passed');
});

test('takt’s own writing into the run’s folder follows no link that the work planted', async (t) => {
  const home = newAttemptHome(t);
  await home.setUp();
  const victim = join(home.layout.state, 'victim');
  writeFileSync(victim, 'precious');

  const { outcome } = await home.command(
    `rm -rf ../.takt; ln -s ${home.layout.state} ../.takt; ln -sf ${victim} ../.stage-result.json`,
  );

  assert.equal(outcome.state, 'unverified');
  assert.equal(readFileSync(victim, 'utf8'), 'precious');
  const next = await home.command('true', { number: 2 });
  assert.equal(next.outcome.state, 'passed');
  assert.equal(readFileSync(victim, 'utf8'), 'precious');
  assert.equal(existsSync(join(home.layout.state, 'check-2.json')), false);
  assert.ok(lstatSync(join(home.runFolder, '.takt')).isDirectory());
  assert.ok(lstatSync(join(home.runFolder, '.stage-result.json')).isFile());
});

test('a result of an earlier step that lies where the next one’s goes is no result of that one', async (t) => {
  const home = newAttemptHome(t);
  await home.setUp();
  await home.command(`echo '{"verdict":"failed","summary":"planted"}' > ../.takt/later-1.json`);

  const { outcome } = await home.command('true', { step: 'later' as AttemptRequest['step'] });

  assert.equal(outcome.state, 'passed');
  assert.doesNotMatch(outcome.result?.summary ?? '', /planted/);
});

test('a step that has to change something and passes without a commit is unverified', async (t) => {
  const home = newAttemptHome(t);
  await home.setUp();

  const without = await home.command('true', { needsChange: true });
  const withOne = await home.command('echo x > x.txt', { needsChange: true, number: 2 });

  assert.equal(without.outcome.state, 'unverified');
  assert.equal(without.outcome.reason?.class, 'no_change');
  assert.equal(withOne.outcome.state, 'passed');
});

test('with restore, a step begins at its recorded commits, and what setup made is still there', async (t) => {
  const home = newAttemptHome(t, { repo: { setup: 'mkdir .venv && touch .venv/x' } });
  await home.setUp();
  await home.command('echo y > y.txt; git add .; git commit -qm y; echo z > z.txt; echo changed > README.md');

  const { outcome, text } = await home.command('ls -A; cat README.md', { restore: true, number: 2 });

  assert.equal(outcome.state, 'passed', text());
  assert.match(text(), /^\.git\n\.venv\nREADME\.md\napp$/m);
  assert.equal(outcome.repos[0]?.head, null);
});

test('worktrees that git cannot read any more fail a passed step, and keep the folder', async (t) => {
  const home = newAttemptHome(t);
  await home.setUp();

  const { outcome } = await home.command('echo work > work.txt; rm -rf .git');

  assert.equal(outcome.state, 'failed');
  assert.equal(outcome.reason?.class, 'git');
  assert.match(outcome.reason?.sentence ?? '', new RegExp(home.runFolder));
  assert.equal(readFileSync(join(home.runFolder, 'app', 'work.txt'), 'utf8'), 'work\n');
});

test('a run’s folder that is gone makes the attempt a broken one', async (t) => {
  const home = newAttemptHome(t);

  const { outcome } = await home.command('true');

  assert.equal(outcome.state, 'broken');
  assert.match(outcome.reason?.sentence ?? '', /is gone; its setup has to make it again/);
});

test('a run’s folder that is removed while the step works does not let it pass', async (t) => {
  const home = newAttemptHome(t, { confinement: 'off' });
  await home.setUp();

  const { outcome } = await home.command(`echo work > work.txt; cd /; rm -rf ${home.runFolder}`);

  assert.equal(outcome.state, 'broken');
  assert.match(outcome.reason?.sentence ?? '', /was removed while the step worked there/);
});

for (const confinement of ['strict', 'off'] as const) {
  const isWalled = confinement === 'strict';
  test(
    isWalled
      ? 'settings that the work planted run nowhere but inside'
      : 'control: without walls, settings that the work planted run outside',
    async (t) => {
      const home = newAttemptHome(t, { confinement });
      await home.setUp();
      const proof = join(home.layout.state, 'proof');

      const { outcome } = await home.command(
        `git config filter.x.clean 'touch ${proof}; cat'; echo '* filter=x' > .gitattributes; echo new > new.txt`,
      );

      assert.equal(outcome.state, 'passed');
      assert.notEqual(outcome.repos[0]?.head, null);
      assert.equal(existsSync(proof), !isWalled);
    },
  );
}
