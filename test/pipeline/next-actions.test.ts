import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AttemptSoFar,
  INTERRUPTIONS_LIMIT,
  nextActions,
  type RunSoFar,
  type StepSoFar,
} from '../../src/pipeline/next-actions.ts';

const step = (name: string, given: Partial<StepSoFar> = {}): StepSoFar => ({
  name,
  kind: 'command',
  state: 'waiting',
  retries: 0,
  attempts: [],
  isRepeated: false,
  ...given,
});
const run = (steps: StepSoFar[], stopping: RunSoFar['stopping'] = null): RunSoFar => ({ stopping, steps });
const ended = (state: AttemptSoFar['state']): AttemptSoFar => ({
  state,
  reason: state === 'passed' ? null : { class: 'exit_code', sentence: `It was ${state}.` },
  isSalvage: false,
});
const vanished: AttemptSoFar = {
  state: 'interrupted',
  reason: { class: 'host_gone', sentence: 'Gone.' },
  isSalvage: false,
};
const salvage = (state: AttemptSoFar['state']): AttemptSoFar => ({ ...ended(state), isSalvage: true });

test('a run begins with its first step', () => {
  const actions = nextActions(run([step('setup', { kind: 'setup' }), step('test')]));

  assert.deepEqual(actions, [{ kind: 'start', step: 'setup', resume: false, restore: false }]);
});

test('a step starts only when the one before it has passed', () => {
  const waits = nextActions(run([step('setup', { state: 'running' }), step('test')]));
  const goesOn = nextActions(run([step('setup', { state: 'passed', attempts: [ended('passed')] }), step('test')]));

  assert.deepEqual(waits, []);
  assert.deepEqual(goesOn, [{ kind: 'start', step: 'test', resume: false, restore: false }]);
});

test('a run whose steps have all passed is passed', () => {
  const actions = nextActions(run([step('setup', { state: 'passed' }), step('test', { state: 'passed' })]));

  assert.deepEqual(actions, [{ kind: 'finish', state: 'passed', step: null, reason: null }]);
});

test('a failed step ends the run with its own reason', () => {
  const actions = nextActions(run([step('test', { attempts: [ended('failed')] }), step('review')]));

  assert.deepEqual(actions, [
    { kind: 'finish', state: 'failed', step: 'test', reason: { class: 'exit_code', sentence: 'It was failed.' } },
  ]);
});

for (const state of ['failed', 'unverified', 'timed_out', 'silent', 'broken'] as const) {
  test(`an attempt that is ${state} is tried again as often as the step allows, from the recorded tree`, () => {
    const first = nextActions(run([step('test', { retries: 1, attempts: [ended(state)] })]));
    const second = nextActions(run([step('test', { retries: 1, attempts: [ended(state), ended(state)] })]));

    assert.deepEqual(first, [{ kind: 'start', step: 'test', resume: false, restore: true }]);
    assert.equal(second[0]?.kind, 'finish');
  });
}

test('an agent that failed tries again in the folder as it is, with a new session', () => {
  const actions = nextActions(run([step('review', { kind: 'agent', retries: 1, attempts: [ended('failed')] })]));

  assert.deepEqual(actions, [{ kind: 'start', step: 'review', resume: false, restore: false }]);
});

test('an interrupted agent resumes its session in the tree as it is', () => {
  const actions = nextActions(run([step('review', { kind: 'agent', attempts: [ended('interrupted')] })]));

  assert.deepEqual(actions, [{ kind: 'start', step: 'review', resume: true, restore: false }]);
});

test('an interrupted command starts from the recorded tree', () => {
  const actions = nextActions(run([step('test', { attempts: [ended('interrupted')] })]));

  assert.deepEqual(actions, [{ kind: 'start', step: 'test', resume: false, restore: true }]);
});

test('interruptions are no failures, but they have a limit of their own', () => {
  const interrupted = Array.from({ length: INTERRUPTIONS_LIMIT }, () => ended('interrupted'));

  const within = nextActions(run([step('test', { attempts: [...interrupted] })]));
  const beyond = nextActions(run([step('test', { attempts: [...interrupted, ended('interrupted')] })]));
  const failedOnce = nextActions(
    run([step('test', { retries: 1, attempts: [ended('interrupted'), ended('failed')] })]),
  );

  assert.equal(within[0]?.kind, 'start');
  assert.equal(beyond[0]?.kind, 'finish');
  assert.equal(failedOnce[0]?.kind, 'start');
});

test('what a vanished command left is pinned before the tree goes back', () => {
  const pins = nextActions(run([step('test', { attempts: [vanished] })]));
  const goesOn = nextActions(run([step('test', { attempts: [vanished, salvage('passed')] })]));
  const pinsAgain = nextActions(run([step('test', { attempts: [vanished, salvage('interrupted')] })]));
  const givesUp = nextActions(run([step('test', { attempts: [vanished, salvage('failed')] })]));
  const resumes = nextActions(run([step('review', { kind: 'agent', attempts: [vanished] })]));

  assert.deepEqual(pins, [{ kind: 'salvage', step: 'test' }]);
  assert.deepEqual(goesOn, [{ kind: 'start', step: 'test', resume: false, restore: true }]);
  assert.deepEqual(pinsAgain, [{ kind: 'salvage', step: 'test' }]);
  assert.partialDeepStrictEqual(givesUp, [{ kind: 'finish', state: 'failed' }]);
  assert.deepEqual(resumes, [{ kind: 'start', step: 'review', resume: true, restore: false }]);
});

test('what could not be taken out of the worktrees is tried once more before the tree goes back', () => {
  const stuck: AttemptSoFar = { ...ended('failed'), reason: { class: 'git', sentence: 'It was kept.' } };
  const takesOut = nextActions(run([step('test', { retries: 1, attempts: [stuck] })]));
  const goesOn = nextActions(run([step('test', { retries: 1, attempts: [stuck, salvage('passed')] })]));
  const still = { ...stuck, isSalvage: true, reason: { class: 'git' as const, sentence: 'In vain.' } };
  const givesUp = nextActions(run([step('test', { retries: 1, attempts: [stuck, still] })]));
  const ends = nextActions(run([step('test', { attempts: [stuck] })]));

  assert.deepEqual(takesOut, [{ kind: 'salvage', step: 'test' }]);
  assert.deepEqual(goesOn, [{ kind: 'start', step: 'test', resume: false, restore: true }]);
  for (const actions of [givesUp, ends]) {
    assert.partialDeepStrictEqual(actions, [{ kind: 'finish', state: 'failed', reason: stuck.reason }]);
  }
});

test('a run ends only when what its vanished attempt left is pinned, or cannot be', () => {
  const agent = { kind: 'agent', attempts: [vanished] } as const;
  const pins = nextActions(run([step('review', agent)], 'cancelled'));
  const ends = nextActions(run([step('review', { ...agent, attempts: [vanished, salvage('passed')] })], 'cancelled'));
  const endsTheLess = nextActions(
    run([step('review', { ...agent, attempts: [vanished, salvage('broken')] })], 'cancelled'),
  );
  const script = nextActions(run([step('push', { kind: 'script', attempts: [vanished] })], 'cancelled'));

  assert.deepEqual(pins, [{ kind: 'salvage', step: 'review' }]);
  for (const actions of [ends, endsTheLess, script]) {
    assert.partialDeepStrictEqual(actions, [{ kind: 'finish', state: 'cancelled' }]);
  }
});

test('a step that was repeated by hand begins from the recorded tree, unless it is an agent', () => {
  const command = nextActions(run([step('test', { isRepeated: true })]));
  const agent = nextActions(run([step('review', { kind: 'agent', isRepeated: true })]));

  assert.deepEqual(command, [{ kind: 'start', step: 'test', resume: false, restore: true }]);
  assert.deepEqual(agent, [{ kind: 'start', step: 'review', resume: false, restore: false }]);
});

test('an approval is asked for once, and then waited for', () => {
  const asks = nextActions(run([step('approve', { kind: 'approve' })]));
  const waits = nextActions(run([step('approve', { kind: 'approve', state: 'asking' })]));
  const goesOn = nextActions(run([step('approve', { kind: 'approve', state: 'passed' }), step('test')]));

  assert.deepEqual(asks, [{ kind: 'ask', step: 'approve' }]);
  assert.deepEqual(waits, []);
  assert.equal(goesOn[0]?.kind, 'start');
});

test('a run that is to stop waits for its attempt and starts nothing more, unless all is done', () => {
  const waits = nextActions(run([step('test', { state: 'running' })], 'cancelled'));
  const ends = nextActions(run([step('test', { state: 'passed' }), step('review')], 'superseded'));
  const late = nextActions(run([step('test', { state: 'passed' })], 'cancelled'));

  assert.deepEqual(waits, []);
  assert.partialDeepStrictEqual(ends, [{ kind: 'finish', state: 'superseded', step: 'review' }]);
  assert.partialDeepStrictEqual(late, [{ kind: 'finish', state: 'passed', step: null }]);
});

test('an attempt that was cancelled ends its run the same way', () => {
  for (const state of ['cancelled', 'superseded'] as const) {
    const actions = nextActions(run([step('test', { retries: 5, attempts: [ended(state)] })]));

    assert.partialDeepStrictEqual(actions, [{ kind: 'finish', state, step: 'test' }]);
  }
});

test('whatever happens, a run ends: no story of attempts goes on for ever', () => {
  const ends = ['failed', 'unverified', 'timed_out', 'silent', 'broken', 'interrupted'] as const;
  for (let seed = 0; seed < 200; seed += 1) {
    const attempts: AttemptSoFar[] = [];
    let pick = seed;
    let action = nextActions(run([step('test', { retries: seed % 11, attempts })]))[0];
    while ((action?.kind === 'start' || action?.kind === 'salvage') && attempts.length < 60) {
      pick = (pick * 1103515245 + 12345) % 2147483648;
      if (action.kind === 'salvage') attempts.push(salvage(pick % 3 === 0 ? 'interrupted' : 'passed'));
      else attempts.push(pick % 5 === 0 ? vanished : ended(ends[pick % ends.length]!));
      action = nextActions(run([step('test', { retries: seed % 11, attempts })]))[0];
    }

    assert.equal(action?.kind, 'finish');
    assert.ok(attempts.filter((attempt) => !attempt.isSalvage).length <= 11 + INTERRUPTIONS_LIMIT);
  }
});
