import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/contract/faults.ts';
import { readPipelineYaml, writePipelineYaml } from '../../src/config/pipeline-yaml.ts';

const said = (text: string): string => {
  try {
    return `no fault: ${JSON.stringify(readPipelineYaml(text))}`;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return `${error.code} ${error.message}`;
  }
};

const full = `steps:
  - role: review
    model: opus
    timeout_s: 60
    max_turns: 5
    changes: true
    prompt: |
      Look twice.
  - run: npm test
    retries: 2
  - run: ./scripts/Test_All.sh
    confinement: strict
  - run: npm run lint
  - approve: true
    prompt: Is it good?
  - script: push_to_github
  - name: again
    role: review
`;

test('steps are inferred from their keys and named after what they do', () => {
  const { steps } = readPipelineYaml(full);

  assert.deepEqual(
    steps.map(({ kind, name }) => `${kind} ${name}`),
    [
      'agent review',
      'command npm',
      'command test_all-sh',
      'command npm-2',
      'approve approve',
      'script push_to_github',
      'agent again',
    ],
  );
  assert.deepEqual(steps[0], {
    kind: 'agent',
    name: 'review',
    role: 'review',
    model: 'opus',
    timeoutS: 60,
    maxTurns: 5,
    changes: true,
    prompt: 'Look twice.\n',
  });
});

test('what is written reads back as the same pipeline', () => {
  const pipeline = readPipelineYaml(full);

  assert.deepEqual(readPipelineYaml(writePipelineYaml(pipeline)), pipeline);
  assert.deepEqual(readPipelineYaml(writePipelineYaml({ steps: [] })), { steps: [] });
});

test('a step without a name never takes the name of the setup or of another', () => {
  const { steps } = readPipelineYaml(
    'steps:\n  - run: setup all\n  - run: make\n  - name: make-2\n    run: x\n  - run: make\n',
  );

  assert.deepEqual(
    steps.map(({ name }) => name),
    ['setup-2', 'make', 'make-2', 'make-3'],
  );
});

test('what is wrong is said with its line and column, and the nearest right word', () => {
  const wrong: [text: string, expected: string][] = [
    ['steps:\n  - role: review\n    modle: opus', 'pipeline.yaml:3:5: the key modle is not known. Did you mean model?'],
    ['steps:\n  - run: x\n    model: opus', 'pipeline.yaml:3:5: the key model is not known.'],
    ['steps:\n  - role: a\n    run: b', 'pipeline.yaml:2:5: the step says role and run.'],
    ['steps:\n  - name: a', 'pipeline.yaml:2:5: the step says neither role, run, script nor approve.'],
    [
      'steps:\n  - script: push_to_githb',
      'pipeline.yaml:2:13: steps.0.script has to be one of push_to_github, create_pr, merge_upstream; did you mean push_to_github?',
    ],
    ['steps:\n  - kind: agnt\n    role: a', 'pipeline.yaml:2:11: no kind of step is called "agnt".'],
    ['step:\n  - run: x', 'pipeline.yaml:1:1: the key step is not known. Did you mean steps?'],
    ['steps:\n  - run', 'pipeline.yaml:2:5: steps.0 has to be a group of keys.'],
    ['steps:\n  - {run: a, name: x}\n  - {run: b, name: x}', 'pipeline.yaml:3:20: two steps are called x.'],
    ['steps:\n  - {run: a, timeoutS: 5}', 'pipeline.yaml:2:14: the key timeoutS is not known. Did you mean timeout_s?'],
    ['steps:\n  - {run: a, timeout_s: 0}', 'pipeline.yaml:2:25: steps.0.timeout_s is below the least of 1.'],
    [
      'steps:\n  - run: "a\\0b"',
      'pipeline.yaml:2:10: steps.0.run is "a\\u0000b", which does not fit: no command can hold a null byte.',
    ],
    ['', 'pipeline.yaml:1:1: steps is missing.'],
  ];

  assert.deepEqual(
    wrong.map(([text]) => said(text)),
    wrong.map(([, expected]) => `PIPELINE_INVALID ${expected}`),
  );
});
