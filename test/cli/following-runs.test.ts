import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { newHome, newUpstream, type TestHome } from './home.ts';

interface Task extends AsyncDisposable {
  readonly home: TestHome;
  setPipeline(...steps: string[]): Promise<void>;
}

async function newTask(): Promise<Task> {
  const folder = mkdtempSync(join(tmpdir(), 'takt-follow-'));
  const home = await newHome();
  const well = async (...words: string[]): Promise<void> => {
    const { code, stderr } = await home.takt(...words);
    assert.equal(code, 0, stderr);
  };
  await well('repo', 'add', 'app', newUpstream(folder, 'app'));
  await well('workspace', 'create', 'feature', 'app');
  return {
    home,
    setPipeline: (...steps) => well('workspace', 'pipeline-set', 'feature', ...steps),
    async [Symbol.asyncDispose]() {
      await home[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

test('--wait shows the steps as they pass, and the exit code is the end of the run', async () => {
  await using task = await newTask();

  await task.setPipeline('run:echo hello');
  const passed = await task.home.takt('workspace', 'trigger', 'feature', '--wait', '--note', 'first');
  await task.setPipeline('run:echo oh no; exit 7');
  const failed = await task.home.takt('workspace', 'trigger', 'feature', '--wait');
  await task.setPipeline('approve');
  const waiting = await task.home.takt('workspace', 'trigger', 'feature', '--wait');

  assert.deepEqual([passed.code, failed.code, waiting.code], [0, 1, 3], passed.stderr + failed.stderr + waiting.stderr);
  assert.match(passed.stdout, /✓ setup passed[\s\S]*✓ echo-hello passed[\s\S]*✓ feature\/1 passed after /);
  assert.match(failed.stdout, /✗ echo-oh-no failed[\s\S]*✗ feature\/2 failed/);
  assert.match(waiting.stdout, /\? feature\/3 waits for you: `takt run approve feature\/3`/);
});

test('a run can be read afterwards: its list, its page, its output, raw and for people', async () => {
  await using task = await newTask();
  await task.setPipeline('run:echo hello; exit 7');
  await task.home.takt('workspace', 'trigger', 'feature', '--wait');

  const list = await task.home.takt('run', 'list');
  const page = await task.home.takt('run', 'show', 'feature');
  const json = JSON.parse((await task.home.takt('run', 'show', 'feature/1', '--json')).stdout) as {
    number: number;
    state: string;
  };
  const output = await task.home.takt('run', 'logs', 'feature', '-f');
  const raw = await task.home.takt('run', 'logs', 'feature', '--json');

  assert.match(list.stdout, /feature\/1 +✗ failed +manual/);
  assert.match(page.stdout, /feature\/1 {2}✗ failed after[\s\S]*\| hello[\s\S]*`takt run retry feature\/1`/);
  assert.deepEqual([json.number, json.state], [1, 'failed']);
  assert.match(output.stdout, /── setup att_[\s\S]*── echo-hello\S* att_[\s\S]*\nhello\n/);
  const kinds = raw.stdout
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { line: { kind: string } }).line.kind);
  assert.ok(kinds.includes('stdout'));
});
