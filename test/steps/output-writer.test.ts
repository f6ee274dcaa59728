import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { OutputLine } from '../../src/contract/output.ts';
import { openOutput, type OutputWriter } from '../../src/steps/output-writer.ts';

const MIB = 1024 * 1024;

test('chunks of one stream that come close together become one line, and their order with others stays', async (t) => {
  const { output, lines } = await newOutput(t, MIB);

  output.write({ kind: 'stdout', atMs: 1, text: 'a' });
  output.write({ kind: 'stdout', atMs: 2, text: 'b\n' });
  output.write({ kind: 'stderr', atMs: 3, text: 'c' });
  output.write({ kind: 'stdout', atMs: 4, text: 'd' });
  output.write({ kind: 'tool_call', atMs: 5, id: 'x', tool: 'Bash', input: {} });
  await output.close();

  assert.deepEqual(
    lines().map((line) => [line.kind, 'text' in line ? line.text : '']),
    [
      ['stdout', 'ab\n'],
      ['stderr', 'c'],
      ['stdout', 'd'],
      ['tool_call', ''],
    ],
  );
});

test('bytes is the length of the file, also with letters of several bytes', async (t) => {
  const { output, file } = await newOutput(t, MIB);

  output.write({ kind: 'stdout', atMs: 1, text: 'äöü 🙂\n' });
  await output.close();

  assert.equal(output.bytes, readFileSync(file).length);
});

test('past the limit one note says so, the rest is left out, and it is told once', async (t) => {
  const { output, lines, told } = await newOutput(t, 4000);

  for (let n = 0; n < 100; n += 1) output.write({ kind: 'text', atMs: n, text: 'x'.repeat(100) });
  output.note('the last word');
  await output.close();

  assert.equal(told.limit, 1);
  assert.equal(told.activity, 100);
  assert.match(JSON.stringify(lines().at(-2)), /limit of 4000 bytes/);
  assert.match(JSON.stringify(lines().at(-1)), /the last word/);
  assert.ok(output.bytes < 4500);
});

test('a single monstrous line is replaced by a note', async (t) => {
  const { output, lines } = await newOutput(t, 64 * MIB);

  output.write({ kind: 'tool_result', atMs: 1, id: 'x', isError: false, text: 'x'.repeat(2 * MIB) });
  await output.close();

  assert.match(JSON.stringify(lines()), /Left out: a tool_result of 2097\d+ bytes/);
});

test('closing twice is fine, and what comes later is dropped', async (t) => {
  const { output, lines } = await newOutput(t, MIB);

  await output.close();
  output.note('too late');
  await output.close();

  assert.deepEqual(lines(), []);
});

async function newOutput(t: TestContext, limitBytes: number) {
  const folder = await mkdtemp(join(tmpdir(), 'takt-output-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'output.ndjson');
  const told = { limit: 0, activity: 0, disk: 0 };
  const output: OutputWriter = openOutput(file, limitBytes, {
    onActivity: () => (told.activity += 1),
    onLimit: () => (told.limit += 1),
    onDiskFault: () => (told.disk += 1),
  });
  const lines = (): OutputLine[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as OutputLine);
  return { output, file, told, lines };
}
