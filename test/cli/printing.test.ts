import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanText, jsonText, oneLine } from '../../src/cli/clean-text.ts';
import { ago, byteSize, duration } from '../../src/cli/print/figures.ts';
import { printersOf, printReply } from '../../src/cli/print/print-reply.ts';
import { printRun } from '../../src/cli/print/run-page.ts';
import { renderTable } from '../../src/cli/print/table.ts';
import { styleFor } from '../../src/cli/styles.ts';
import type { Run } from '../../src/contract/run.ts';
import { operations } from '../../src/contract/operations.ts';

const page = { width: null, style: styleFor(false), nowMs: 100_000 };

test('every operation that replies to a person has a printer', async () => {
  const replying = operations
    .filter(({ command, kind }) => command.words.length > 0 && (kind === 'call' || kind === 'job'))
    .map(({ name }) => name);

  const missing: string[] = [];
  for (const name of replying) {
    const printers = await printersOf[name.split('.')[0]!]?.();
    if (printers?.[name] === undefined && name !== 'service.stop') missing.push(name);
  }

  assert.deepEqual(missing, []);
});

test('text of others cannot steer the terminal', () => {
  const hostile = 'a\u001b[2Jb\u001b]0;title\u0007c\u001b[31md\u001b[0m\u001bPx\u001b\\e\u0008\u202ef\u009b1mg';

  assert.equal(cleanText(hostile), 'abcdef1mg');
  assert.equal(cleanText(hostile, { keepColours: true }), 'abc\u001b[31md\u001b[0mef1mg');
  assert.equal(cleanText('10 %\r20 %\r\ndone\n'), '10 %\n20 %\r\ndone\n');
  assert.equal(oneLine(' two\n\tlines\u001b[1m ', 6), 'two l…');
});

test('colours of others end with their text, and hide nothing', () => {
  const keepColours = true;

  assert.equal(cleanText('\u001b[31mred\n', { keepColours }), '\u001b[31mred\u001b[0m\n');
  assert.equal(cleanText('\u001b[1;8mhidden', { keepColours }), 'hidden');
  assert.equal(cleanText('plain\n', { keepColours }), 'plain\n');
});

test('JSON of others cannot steer the terminal, and says the same', () => {
  const hostile = { text: 'a\u009b2Jb\u202ec\u001b[2J\u007f', ä: 'ö' };

  const text = jsonText(hostile, 2);

  assert.doesNotMatch(text, /[[\p{Cc}\p{Bidi_Control}]--[\n]]/v);
  assert.deepEqual(JSON.parse(text), hostile);
  assert.match(text, /"ä": "ö"/);
});

test('guidance that an agent may have written is cleaned for a terminal, and as it is in a file', async () => {
  const file = { name: 'CLAUDE.md', path: '/x', text: 'a\u001b]0;title\u0007b\n', hash: 'none' };
  const command = { name: 'guidance.show' };

  assert.equal(await printReply(command, file, {}, { ...page, width: 80 }), 'ab\n');
  assert.equal(await printReply(command, file, {}, page), file.text);
});

test('figures are short and carry their unit', () => {
  assert.deepEqual([0, 12_000, 252_000, 3_780_000].map(duration), ['0.0 s', '12 s', '4 min 12 s', '1 h 3 min']);
  assert.deepEqual(
    [null, 99_000, 60_000, -200_000].map((atMs) => ago(atMs, 100_000)),
    ['never', 'just now', '40 s ago', '5 min ago'],
  );
  assert.deepEqual([0, 1023, 1024, 5 * 1024 ** 3].map(byteSize), ['0 B', '1023 B', '1.0 KiB', '5.0 GiB']);
});

test('a table cuts its elastic columns to the terminal, the widest first', () => {
  const columns = [{ title: 'NAME' }, { title: 'WHAT', isElastic: true }, { title: 'WHERE', isElastic: true }];
  const rows = [['short', 'w'.repeat(60), 'x'.repeat(30)]];

  const whole = renderTable(columns, rows, page);
  const [, cut] = renderTable(columns, rows, { ...page, width: 60 }).split('\n');

  assert.ok(whole.includes('w'.repeat(60)));
  assert.equal([...cut!].length, 60);
  assert.match(cut!, /^short {2}w+… {2}x+…$/);
});

const commit = (digit: string): never => digit.repeat(40) as never;

const failed: Run = {
  id: 'run_0123456789abcdef' as never,
  workspace: 'feature' as never,
  number: 3,
  state: 'failed',
  trigger: 'push',
  queuedAtMs: 0,
  startedAtMs: 0,
  endedAtMs: 90_000,
  currentStep: null,
  reason: { class: 'exit_code', sentence: 'fix: exit code 2.' },
  costUsd: 0.125,
  repos: [
    { repo: 'app' as never, role: 'edit', start: commit('1'), head: commit('2'), landed: commit('2') },
    { repo: 'lib' as never, role: 'read', start: commit('3'), head: commit('3'), landed: null },
  ],
  steps: [
    {
      name: 'fix' as never,
      kind: 'agent',
      title: 'fix@sonnet',
      state: 'failed',
      attempts: [
        {
          id: 'att_0123456789abcdef' as never,
          step: 'fix' as never,
          number: 1,
          state: 'failed',
          reason: { class: 'exit_code', sentence: 'Exit code 2.' },
          startedAtMs: 0,
          endedAtMs: 60_000,
          exitCode: 2,
          usage: null,
          outputBytes: 0,
          repos: [],
          confinement: { filesystem: 'none', network: 'open', user: 'own' },
          result: {
            verdict: 'failed',
            summary: 'It did not work.',
            findings: [{ severity: 'error', message: 'A \u001b[2Jhole.', repo: 'app', file: 'a.ts', line: 3 }],
          },
          resumeCommand: 'cd /h/runs/feature-3 && claude --resume abc',
        },
      ],
    },
  ],
  pipeline: { steps: [] },
  note: 'again',
  folder: '/h/runs/feature-3',
  landing: 'whole',
  lastLines: ['first', 'last'],
  supersededBy: null,
  pins: [{ repo: 'app' as never, ref: 'refs/takt/runs/x', commit: commit('4'), what: 'leftover', step: 'fix' }],
};

test('a run that failed says why, where its work is, what resumes it and what goes on from there', () => {
  const text = printRun(failed, page);

  for (const part of [
    'feature/3  ✗ failed after 1 min 30 s',
    'reason      fix: exit code 2.',
    'note        again',
    '$0.13',
    '/h/runs/feature-3',
    'app         11111111  22222222   yes',
    'lib (read)  33333333  no commit',
    '✗ fix  failed, fix@sonnet, 1 min 0 s',
    'Exit code 2. (exit_code)',
    'It did not work.',
    'error: A hole. (app:a.ts:3)',
    'was not confined',
    '  | first\n  | last\n',
    'app 44444444  uncommitted work of fix: refs/takt/runs/x',
    '  cd /h/runs/feature-3 && claude --resume abc\n',
    '`takt run retry feature/3`',
  ]) {
    assert.ok(text.includes(part), `${part} is missing in\n${text}`);
  }
});

test('an attempt that took out what another had left is a line of its own', () => {
  const [fix] = failed.steps;
  const [attempt] = fix!.attempts;
  const salvage = { ...attempt!, number: 2, isSalvage: true };

  const text = printRun({ ...failed, steps: [{ ...fix!, attempts: [attempt!, salvage] }] }, page);

  assert.match(text, /\n {4}attempt 2: took out what the one before it had left\n/);
});

test('a run that is still ending is not said to go on', async () => {
  const reply = { run: 'run_1', workspace: 'feature', number: 3 };
  const said = (state: string): Promise<string> => printReply({ name: 'run.cancel' }, { ...reply, state }, {}, page);

  assert.equal(await said('running'), 'Run feature/3 is being ended.\n');
  assert.equal(await said('cancelled'), 'Run feature/3 is cancelled.\n');
});

test('a pull says of each repo what came in, what has to be merged by hand, and which upstream was away', async () => {
  const [from, to] = ['a'.repeat(40), 'b'.repeat(40)];
  const fault = { code: 'UPSTREAM_MISSING', message: 'There is no repository.', hint: 'Look.' };
  const results = [
    { repo: 'app', state: 'pulled', from, to, why: null, taken: 2, fault: null },
    {
      repo: 'lib',
      state: 'refused',
      from,
      to,
      why: 'Apart.',
      taken: 0,
      commands: ['git merge', 'git push'],
      fault: null,
    },
    { repo: 'web', state: 'current', from, to: from, why: null, taken: 0, fault },
  ];

  assert.deepEqual((await printReply({ name: 'workspace.pull' }, { results }, {}, page)).split('\n'), [
    '✓ app: aaaaaaaa → bbbbbbbb (2 commits from upstream)',
    '✗ lib: Apart.',
    '  To merge them by hand; where files conflict, mend and commit them before the push:',
    '    git merge',
    '    git push',
    '✓ web: up to date',
    '✗ web: upstream was not asked: There is no repository.',
    '    Look.',
    '',
  ]);
});

test('a run that is retried behind a newer one says so', async () => {
  const reply = { run: 'run_1', workspace: 'task', number: 1, state: 'queued' };
  const said = (more: object): Promise<string> => printReply({ name: 'run.retry' }, { ...reply, ...more }, {}, page);

  assert.equal(await said({}), 'Run task/1 is queued.\n');
  assert.equal(await said({ waitsFor: 2 }), 'Run task/1 is queued; it goes on when task/2 is over.\n');
});
