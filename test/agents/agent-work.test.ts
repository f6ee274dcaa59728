import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { call, giveResult, type ScriptedScenario, type ScriptedTurn } from '../../src/agents/scripted-scenario.ts';
import { findAttemptProcesses } from '../../src/platform/attempt-processes.ts';
import { confinementLacks, LIMIT_MS, openAgentPlace, REAL_KEY, type WallsMode } from './agent-place.ts';

/** Every test runs with walls and without, since the agent's permissions differ. */
function inBothModes(name: string, body: (mode: WallsMode) => Promise<void>): void {
  const options = { timeout: LIMIT_MS };
  test(`${name} (confined)`, { ...options, skip: confinementLacks === '' ? false : confinementLacks }, () =>
    body('strict'),
  );
  test(`${name} (not confined)`, options, () => body('off'));
}

const bash = (command: string, text?: string): ScriptedTurn =>
  call('Bash', { command, description: 'a step of the script' }, text);
const passed = giveResult({ verdict: 'passed', summary: 'All is done.' });

inBothModes('an agent changes two repos, commits in one and gives its result', async (mode) => {
  const lib = (path: string): string => join(place.runFolder, path);
  const scenario: ScriptedScenario = {
    implement: [
      () => call('Read', { file_path: lib('lib/main.txt') }, 'First I read.'),
      () => call('Edit', { file_path: lib('lib/main.txt'), old_string: 'one', new_string: 'two' }),
      () => call('Write', { file_path: lib('app/new.txt'), content: 'new\n' }),
      bash('cd lib && git add -A && git commit -qm "lib: two" && git log -1 --format="%an %cn"'),
      giveResult({
        verdict: 'passed',
        summary: 'lib says two.',
        findings: [{ severity: 'info', message: 'app is next', repo: 'app' }],
      }),
    ],
  };
  await using place = await openAgentPlace({ mode, scenario });

  const run = place.run(place.request({ earlier: [{ step: 'plan', path: '.takt/plan-1.json', verdict: 'passed' }] }));
  const { state, reason, result, usage, exitCode } = await run.ended;

  assert.deepEqual({ state, reason, exitCode }, { state: 'passed', reason: null, exitCode: 0 });
  assert.deepEqual(result, {
    verdict: 'passed',
    summary: 'lib says two.',
    findings: [{ severity: 'info', message: 'app is next', repo: 'app' }],
  });
  assert.equal(place.git('lib', 'show', 'HEAD:main.txt'), 'lib two\n');
  assert.equal(place.git('lib', 'log', '-1', '--format=%an <%ae> %cn').trim(), 'Ada <ada@example.com> takt');
  assert.match(place.git('app', 'status', '--porcelain'), /\?\? new\.txt/);
  assert.equal(usage?.model, 'takt-scripted-model');
  assert.equal(usage.inputTokens, 500);
  assert.equal(usage.outputTokens, 100);
  assert.ok(usage.costUsd > 0);
  assert.deepEqual(
    run.lines.flatMap((line) => (line.kind === 'tool_call' ? [line.tool] : [])),
    ['Read', 'Edit', 'Write', 'Bash', 'StructuredOutput'],
  );
  assert.ok(run.lines.some((line) => line.kind === 'text' && line.text === 'First I read.'));
});

inBothModes(
  'the prompt holds role, task, repos in dependency order, what changed and earlier results by path',
  async (mode) => {
    await using place = await openAgentPlace({ mode, scenario: { '*': [passed] } });
    await place.write('CLAUDE.md', 'MARK-run-claude-md\n');

    const request = place.request({ earlier: [{ step: 'plan', path: '.takt/plan-1.json', verdict: 'passed' }] });
    await place.run(request).ended;

    const [seen] = place.model.seen;
    const text = seen!.request!.text;
    assert.match(text, /MARK-role/);
    assert.match(text, /MARK-run-claude-md/);
    assert.match(text, /Make it @lib\/main\.txt so\./);
    assert.doesNotMatch(text, /lib one/, 'an @name in a prompt does not pull the file in');
    assert.ok(text.indexOf('- lib/:') < text.indexOf('- app/:'));
    assert.match(
      text,
      /- app\/: .*, needs lib\. Changed so far \(`git diff [0-9a-f]{12}` there shows it\):\n\s+second\.txt \| 1 \+/,
    );
    assert.match(text, /- \.takt\/plan-1\.json: plan passed/);
    assert.equal(
      seen!.headers['x-claude-code-session-id'],
      request.work.kind === 'agent' ? request.work.sessionId : '',
    );
    assert.equal(seen!.headers['x-takt-workspace'], 'w');
  },
);

inBothModes('the real key stays outside, and the placeholder is on no command line', async (mode) => {
  let placeholder = '';
  let commandLines: string[] = [];
  const scenario: ScriptedScenario = {
    '*': [
      bash('echo "$ANTHROPIC_API_KEY"; env; cat "$HOME"/.claude/* 2>/dev/null'),
      ({ toolResults }) => {
        placeholder = /takt-[0-9a-f]{48}/.exec(toolResults[0]!.text)?.[0] ?? '';
        commandLines = readdirSync('/proc')
          .filter((name) => /^\d+$/.test(name))
          .map(commandLineOf);
        return giveResult({ verdict: 'passed', summary: toolResults[0]!.text.includes(REAL_KEY) ? 'leaked' : 'clean' });
      },
    ],
  };
  await using place = await openAgentPlace({ mode, scenario });

  const { result } = await place.run().ended;

  assert.equal(result?.summary, 'clean');
  assert.equal(place.model.seen[0]!.headers['x-api-key'], REAL_KEY);
  assert.notEqual(placeholder, '');
  assert.ok(commandLines.some((line) => line.includes('claude')));
  assert.deepEqual(
    commandLines.filter((line) => line.includes(placeholder)),
    [],
  );
});

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch (error) {
    // Ended since the list was made.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}

inBothModes('cancelling ends a call that runs, and its daemons', async (mode) => {
  await using place = await openAgentPlace({
    mode,
    scenario: { '*': [bash('setsid sleep 1000 & (sleep 1000 &) ; touch started; sleep 999')] },
  });
  const cancel = new AbortController();
  const request = place.request();

  const run = place.run(request, cancel.signal);
  await run.nextLine(({ kind }) => kind === 'tool_call');
  while (!isThere(join(place.runFolder, 'started'))) await new Promise(setImmediate);
  const aliveBefore = findAttemptProcesses(request.attempt).length;
  cancel.abort();
  const { state, usage } = await run.ended;

  assert.equal(state, 'ended');
  assert.equal(usage?.outputTokens, 20);
  assert.ok(aliveBefore >= 4, `${aliveBefore} processes`);
  assert.deepEqual(findAttemptProcesses(request.attempt), []);
});

inBothModes('cancelling ends a session that waits for the model', async (mode) => {
  await using place = await openAgentPlace({ mode, scenario: { '*': [{ kind: 'hang' }] } });
  const cancel = new AbortController();
  const request = place.request();

  const run = place.run(request, cancel.signal);
  await place.model.nextRequest(() => true, AbortSignal.timeout(LIMIT_MS));
  cancel.abort();
  const { state } = await run.ended;

  assert.equal(state, 'ended');
  assert.deepEqual(findAttemptProcesses(request.attempt), []);
});

inBothModes('a daemon does not outlive a step that passed', async (mode) => {
  await using place = await openAgentPlace({
    mode,
    scenario: { '*': [bash('setsid sleep 1000 >/dev/null 2>&1 < /dev/null & echo left'), passed] },
  });
  const request = place.request();

  const { state } = await place.run(request).ended;

  assert.equal(state, 'passed');
  assert.deepEqual(findAttemptProcesses(request.attempt), []);
});

inBothModes('an interrupted session is resumed, and only what is new is charged', async (mode) => {
  const scenario: ScriptedScenario = {
    '*': [
      bash('echo before-the-interruption'),
      ({ text }) => (text.includes('You were interrupted') ? passed : { kind: 'hang' }),
      passed,
    ],
  };
  await using place = await openAgentPlace({ mode, scenario });
  const cancel = new AbortController();
  const first = place.run(place.request(), cancel.signal);
  await place.model.nextRequest(({ request }) => request?.turn === 1, AbortSignal.timeout(LIMIT_MS));
  cancel.abort();
  const sessionId = (await first.ended).usage!.sessionId!;

  const second = await place.run(place.request({ work: { resumeSession: sessionId } })).ended;
  const third = await place.run(
    place.request({ work: { resumeSession: sessionId, costBeforeUsd: second.usage!.costUsd } }),
  ).ended;

  const resumed = place.model.seen.find(({ request }) => request?.text.includes('You were interrupted'));
  assert.match(resumed!.request!.text, /before-the-interruption/);
  assert.equal(second.state, 'passed');
  assert.equal(second.usage!.sessionId, sessionId);
  assert.equal(second.usage!.outputTokens, 20);
  assert.equal(third.state, 'passed');
  assert.ok(
    third.usage!.costUsd > 0 && third.usage!.costUsd < second.usage!.costUsd * 1.5,
    `${second.usage!.costUsd}, then ${third.usage!.costUsd}`,
  );
});

function isThere(path: string): boolean {
  return readdirSync(join(path, '..')).includes('started');
}
