import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/contract/faults.ts';
import { Pipeline } from '../../src/contract/pipeline.ts';
import { checkPipeline } from '../../src/pipeline/check-pipeline.ts';
import { type KnownWords, modelAliases } from '../../src/pipeline/known-words.ts';
import { parseShortForms } from '../../src/pipeline/short-forms.ts';
import { stepTitle } from '../../src/pipeline/step-title.ts';

const known: KnownWords = {
  roles: ['plan', 'implement', 'test', 'review', 'fix', 'docs'],
  models: modelAliases,
  scripts: ['merge_upstream', 'push_to_github'],
};
const refusal = (words: string[]): string => {
  try {
    parseShortForms(words, known);
  } catch (error) {
    assert.ok(error instanceof Fault);
    assert.equal(error.code, 'PIPELINE_INVALID');
    return error.message;
  }
  return 'not refused';
};

test('the short forms give the steps in order', () => {
  const pipeline = parseShortForms(['test', 'review@opus', 'run:npm test', 'approve', 'push_to_github'], known);

  assert.deepEqual(pipeline.steps, [
    { kind: 'agent', name: 'test', role: 'test' },
    { kind: 'agent', name: 'review', role: 'review', model: 'opus' },
    { kind: 'command', name: 'npm-test', run: 'npm test' },
    { kind: 'approve', name: 'approve' },
    { kind: 'script', name: 'push_to_github', script: 'push_to_github' },
  ]);
});

test('a command step is called after its first plain words', () => {
  const pipeline = parseShortForms(
    [
      'run:! node --test */test/*.test.js',
      'run:cd app && npm run test:unit -- --all',
      'run:./make',
      'run:echo oh no; exit 7',
    ],
    known,
  );

  assert.deepEqual(
    pipeline.steps.map(({ name }) => name),
    ['node-test', 'npm-run-test-unit', 'make', 'echo-oh-no'],
  );
});

test('a second step of one name gets a number', () => {
  const pipeline = parseShortForms(['review', 'fix', 'review@haiku', 'review', 'run:setup'], known);

  assert.deepEqual(
    pipeline.steps.map((step) => step.name),
    ['review', 'fix', 'review-2', 'review-3', 'setup-2'],
  );
});

test('a command keeps every character of its own', () => {
  const pipeline = parseShortForms(['run:cd app && npm run "all: tests" | tee x@y', 'run:./…', 'run:--x'], known);

  assert.deepEqual(
    pipeline.steps.map((step) => [step.name, stepTitle(step)]),
    [
      ['npm-run', 'cd app && npm run "all: tests" | tee x@y'],
      ['command', './…'],
      ['x', '--x'],
    ],
  );
});

test('a word that is not known is refused with the nearest right one', () => {
  assert.equal(refusal(['reveiw']), 'No role or script reveiw; did you mean review?');
  assert.equal(refusal(['push-to-github']), 'No role or script push-to-github; did you mean push_to_github?');
  assert.equal(refusal(['aprove']), 'No role or script aprove; did you mean approve?');
  assert.equal(refusal(['zzzzzzzz']), 'No role or script zzzzzzzz.');
  assert.equal(refusal(['review@opsu']), 'No model opsu; did you mean opus?');
  assert.equal(refusal(['review@']), 'The step review@ names no model after the @.');
  assert.equal(refusal(['@opus']), 'The step @opus names no role before the @.');
  assert.equal(refusal(['run:  ']), 'The step run: names no command.');
  assert.equal(refusal([]), 'A pipeline has at least one step.');
  assert.equal(refusal(['']), 'A step is empty.');
});

test('a full model id is taken as it is', () => {
  for (const model of ['claude-opus-4-1-20250805', 'us.anthropic.claude-sonnet-4-5-v1:0', 'sonnet[1m]']) {
    assert.equal(stepTitle(parseShortForms([`review@${model}`], known).steps[0]!), `review@${model}`);
  }
});

test('a script that this version lacks is refused when the pipeline is set', () => {
  assert.equal(refusal(['create_pr']), 'This version does not carry out the script create_pr.');
});

test('more than fifty steps are refused', () => {
  assert.equal(refusal(Array.from({ length: 51 }, () => 'review')), 'A pipeline has at most 50 steps.');
});

test('the full form is checked like the short one', () => {
  const check = (steps: unknown[]): void => checkPipeline(Pipeline.parse({ steps }), known);
  const command = { kind: 'command', name: 'test', run: 'true' };

  assert.doesNotThrow(() => check([command, { ...command, name: 'again' }]));
  assert.throws(() => check([command, command]), /Two steps are named test\./);
  assert.throws(() => check([{ ...command, name: 'setup' }]), /No step may be named setup/);
  assert.throws(() => check([{ kind: 'agent', name: 'a', role: 'tset' }]), /No role tset; did you mean test\?/);
  assert.throws(() => check([{ kind: 'agent', name: 'a', role: 'test', model: 'opsu' }]), /did you mean opus/);
  assert.throws(() => check([{ kind: 'approve', name: 'a', changes: true }]), /for agents and commands/);
  const merge = { kind: 'script', name: 'a', script: 'merge_upstream' };
  assert.doesNotThrow(() => check([merge]));
  assert.throws(() => check([{ ...merge, changes: true }]), /for agents and commands/);
});
