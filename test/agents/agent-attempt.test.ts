import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startScriptedModel, type ScriptedModel } from '../../src/agents/scripted-model.ts';
import { call, giveResult, type ScriptedScenario, type ScriptedTurn } from '../../src/agents/scripted-scenario.ts';
import { AttemptRequest } from '../../src/contract/attempt.ts';
import { StageResult } from '../../src/contract/stage-result.ts';
import { findAttemptProcesses } from '../../src/platform/attempt-processes.ts';
import { watchUntil } from '../../src/platform/wait.ts';
import { newAttemptHome, type AttemptHome } from '../steps/attempt-home.ts';
import { confinementLacks, type WallsMode } from './agent-place.ts';

const LIMIT_MS = 60_000;
const KEY = { ANTHROPIC_API_KEY: 'sk-real' };
const bash = (command: string): ScriptedTurn => call('Bash', { command, description: 'a step of the script' });
const passed = giveResult({ verdict: 'passed', summary: 'All is done.' });

/** A home whose step hosts reach a scripted model. */
async function newAgentHome(
  t: TestContext,
  mode: WallsMode,
  scenario: ScriptedScenario,
): Promise<{ home: AttemptHome; model: ScriptedModel; agent: (work?: object) => Partial<AttemptRequest> }> {
  const home = newAttemptHome(t, { repos: ['app', 'lib'], confinement: mode });
  const model = await startScriptedModel({ scenario });
  t.after(() => model[Symbol.asyncDispose]());
  await home.setUp();
  const agent = (work: object = {}): Partial<AttemptRequest> => {
    const step = { kind: 'agent', name: 'implement', role: 'implement' };
    const modelAccess = { kind: 'environment', baseUrl: model.url };
    const about = { rolePrompt: 'Do it.', model: 'sonnet', resumeSession: null, sessionId: randomUUID(), maxTurns: 20 };
    const whole = AttemptRequest.shape.work.parse({ kind: 'agent', step, modelAccess, ...about, ...work });
    return { step: 'implement' as AttemptRequest['step'], work: whole };
  };
  return { home, model, agent };
}

for (const mode of ['strict', 'off'] satisfies WallsMode[]) {
  const options = { timeout: LIMIT_MS, skip: mode === 'strict' && confinementLacks !== '' ? confinementLacks : false };

  test(`the host of an agent step takes out what it committed and what it left (${mode})`, options, async (t) => {
    const scenario = {
      '*': [
        bash('echo more >> lib/README.md && git -C lib commit -qam "lib: more"'),
        call('Write', { file_path: 'app/new.txt', content: 'new\n' }),
        passed,
      ],
    };
    const { home, model, agent } = await newAgentHome(t, mode, scenario);

    const attempt = home.attempt({ ...agent(), needsChange: true });
    attempt.startHost(KEY);
    const outcome = await attempt.untilOutcome();

    assert.equal(outcome.state, 'passed', attempt.text());
    assert.equal(outcome.result?.summary, 'All is done.');
    assert.equal(outcome.confinement?.filesystem, mode === 'strict' ? 'bubblewrap' : 'none');
    assert.ok(outcome.usage!.costUsd > 0);
    assert.deepEqual(
      outcome.repos.map(({ repo, start, head }) => ({ repo, isNew: head !== null && head !== start })),
      [
        { repo: 'app', isNew: true },
        { repo: 'lib', isNew: true },
      ],
    );
    assert.equal(model.seen[0]!.headers['x-api-key'], 'sk-real');
    assert.equal(model.seen[0]!.headers['x-takt-attempt'], attempt.id);
    const stored: unknown = JSON.parse(readFileSync(join(home.runFolder, '.takt', 'implement-1.json'), 'utf8'));
    assert.deepEqual(StageResult.parse(stored), outcome.result);
  });

  test(
    `a cancelled agent step keeps its work, and the session goes on in the next attempt (${mode})`,
    options,
    async (t) => {
      const scenario: ScriptedScenario = {
        '*': [
          bash('echo half > lib/half.txt'),
          ({ text }) => (text.includes('You were interrupted') ? passed : { kind: 'hang' }),
        ],
      };
      const { home, model, agent } = await newAgentHome(t, mode, scenario);
      const sessionId = randomUUID();

      const first = home.attempt(agent({ sessionId }));
      first.startHost(KEY);
      await model.nextRequest(({ request }) => request?.turn === 1, AbortSignal.timeout(LIMIT_MS));
      writeFileSync(join(first.folder, 'cancel.json'), '{"reason":"cancelled"}');
      const cancelled = await first.untilOutcome();
      const second = home.attempt({ ...agent({ sessionId, resumeSession: sessionId }), number: 2 });
      second.startHost(KEY);
      const resumed = await second.untilOutcome();

      assert.equal(cancelled.state, 'cancelled');
      assert.notEqual(cancelled.repos.find(({ repo }) => repo === 'lib')?.leftover, null);
      assert.equal(resumed.state, 'passed', second.text());
      assert.equal(resumed.usage?.sessionId, sessionId);
      assert.deepEqual([...findAttemptProcesses(first.id), ...findAttemptProcesses(second.id)], []);
    },
  );

  test(`an agent that says nothing for too long is ended as silent (${mode})`, options, async (t) => {
    const { home, agent } = await newAgentHome(t, mode, { '*': [{ kind: 'hang' }] });

    const attempt = home.attempt({ ...agent(), silenceMs: 2_500 });
    attempt.startHost(KEY);
    const { state, usage } = await attempt.untilOutcome();

    assert.equal(state, 'silent', attempt.text());
    assert.notEqual(usage?.sessionId, null);
    assert.deepEqual(findAttemptProcesses(attempt.id), []);
  });

  test(`an agent that answers slowly is not silent (${mode})`, options, async (t) => {
    const slowly: ScriptedTurn = {
      kind: 'answer',
      text: 'slow '.repeat(60),
      chunkDelayMs: 400,
      calls: giveResult({ verdict: 'passed', summary: 'slow' }).calls!,
    };
    const { home, agent } = await newAgentHome(t, mode, { '*': [slowly] });

    const attempt = home.attempt({ ...agent(), silenceMs: 3_000 });
    attempt.startHost(KEY);
    const { state } = await attempt.untilOutcome();

    assert.equal(state, 'passed', attempt.text());
  });
}

test(
  'an agent behind walls dies with its host',
  { timeout: LIMIT_MS, skip: confinementLacks === '' ? false : confinementLacks },
  async (t) => {
    const { home, agent } = await newAgentHome(t, 'strict', { '*': [bash('setsid sleep 1000 & sleep 999')] });
    const attempt = home.attempt(agent());

    const host = attempt.startHost(KEY);
    await attempt.untilOutput(/Claude Code/);
    await watchUntil(
      attempt.folder,
      () => Promise.resolve(findAttemptProcesses(attempt.id).length >= 4 ? true : undefined),
      { signal: AbortSignal.timeout(LIMIT_MS), everyMs: 20 },
    );
    host.kill('SIGKILL');

    await watchUntil(
      attempt.folder,
      () => Promise.resolve(findAttemptProcesses(attempt.id).length === 0 ? true : undefined),
      { signal: AbortSignal.timeout(LIMIT_MS), everyMs: 20 },
    );
  },
);
