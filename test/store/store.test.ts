import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Pipeline } from '../../src/contract/pipeline.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { appendOutput, readOutput, storedBytes } from '../../src/store/output.ts';
import { findRoot, insertRoot, listRoots, recordFetch, rootOf, deleteRoot } from '../../src/store/roots.ts';
import { finishRun, insertRun, newRunId, runsInState, takeRunNumber } from '../../src/store/runs.ts';
import { listRuns, resolveRun, runView } from '../../src/store/run-views.ts';
import { advanceSeenRef, dropSeenRefsOfBranch, seenRef, setSeenRef } from '../../src/store/seen-refs.ts';
import { recordUpstreamHead, upstreamHead } from '../../src/store/upstream-heads.ts';
import {
  addWorkspaceRepo,
  deleteWorkspace,
  insertWorkspace,
  listWorkspaces,
  pipelineOf,
  roleIn,
  setPipeline,
  workspaceOf,
  workspacesOfRepo,
} from '../../src/store/workspaces.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const pipeline = Pipeline.parse({ steps: [{ kind: 'command', name: 'test', run: 'true' }] });

function openStore(): { database: Database; [Symbol.dispose](): void } {
  const folder = mkdtempSync(join(tmpdir(), 'takt-store-'));
  const database = openDatabase(join(folder, 'takt.db'));
  return {
    database,
    [Symbol.dispose]() {
      database.close();
      rmSync(folder, { recursive: true });
    },
  };
}

function newRun(database: Database, workspace: string, queuedAtMs: number): string {
  const id = newRunId();
  const number = takeRunNumber(database, workspace);
  const given = { trigger: 'push' as const, note: null, pipeline, gatherUntilMs: 0, gatherLimitMs: 0 };
  insertRun(database, { id, number, workspace: workspace as never, queuedAtMs, ...given });
  return id;
}

test('a root repo is remembered with how its last fetch went', () => {
  using store = openStore();
  insertRoot(store.database, { repo: 'app', upstream: '/up', defaultBranch: 'main' });

  recordFetch(store.database, 'app', { atMs: 5, fault: null });
  recordFetch(store.database, 'app', { atMs: 9, fault: { code: 'UPSTREAM_DENIED', message: 'No.' } });

  assert.deepEqual(rootOf(store.database, 'app'), {
    repo: 'app',
    upstream: '/up',
    pushUrl: '/up',
    defaultBranch: 'main',
    fetchedAtMs: 5,
    fetchFault: { code: 'UPSTREAM_DENIED', message: 'No.' },
  });
  deleteRoot(store.database, 'app');
  assert.equal(findRoot(store.database, 'app'), undefined);
  assert.deepEqual(listRoots(store.database), []);
  assert.throws(() => rootOf(store.database, 'app'), { code: 'REPO_NOT_FOUND' });
});

test('a workspace has its repos in order, its pipeline and its latest run', () => {
  using store = openStore();
  const { database } = store;
  insertWorkspace(database, { name: 'work', base: 'main', createdAtMs: 1, repos: [{ repo: 'lib', role: 'read' }] });
  addWorkspaceRepo(database, 'work', 'app', 'edit');
  setPipeline(database, 'work', pipeline);
  const run = newRun(database, 'work', 1);

  assert.deepEqual(workspaceOf(database, 'work'), {
    name: 'work',
    base: 'main',
    createdAtMs: 1,
    task: null,
    repos: [
      { name: 'lib', role: 'read' },
      { name: 'app', role: 'edit' },
    ],
    steps: ['test'],
    pipeline,
    latestRun: { id: run, number: 1, state: 'gathering' },
  });
  assert.deepEqual([roleIn(database, 'work', 'app'), roleIn(database, 'work', 'x')], ['edit', undefined]);
  assert.deepEqual(workspacesOfRepo(database, 'app'), ['work']);
  deleteWorkspace(database, 'work');
  assert.deepEqual([listWorkspaces(database), pipelineOf(database, 'work')], [[], null]);
  assert.deepEqual(workspacesOfRepo(database, 'app'), []);
  assert.equal(takeRunNumber(database, 'work'), 2, 'a number never comes again');
});

test('what was seen moves only from where it stood', () => {
  using store = openStore();
  setSeenRef(store.database, 'app', 'work', A);

  advanceSeenRef(store.database, 'app', 'work', B, A);
  advanceSeenRef(store.database, 'app', 'work', A, B);
  advanceSeenRef(store.database, 'app', 'work', A, A);

  assert.equal(seenRef(store.database, 'app', 'work'), B);
  dropSeenRefsOfBranch(store.database, 'work');
  assert.equal(seenRef(store.database, 'app', 'work'), undefined);
});

test('what upstream has is known per branch', () => {
  using store = openStore();
  recordUpstreamHead(store.database, { repo: 'app', branch: 'work', commit: A, atMs: 1 });
  recordUpstreamHead(store.database, { repo: 'app', branch: 'work', commit: B, atMs: 2 });

  assert.deepEqual(
    [upstreamHead(store.database, 'app', 'work'), upstreamHead(store.database, 'app', 'other')],
    [B, null],
  );
});

test('output is read from any byte on, whatever the batches were', () => {
  using store = openStore();
  const text = 'abcdefghij'.repeat(30);
  for (let from = 0, size = 1; from < text.length; from += size, size = (size * 3 + 1) % 23 || 1) {
    appendOutput(store.database, 'att', from, Buffer.from(text.slice(from, from + size)));
  }
  appendOutput(store.database, 'other', 0, Buffer.from('xyz'));

  for (let from = 0; from <= text.length; from += 7) {
    for (const limit of [1, 10, 1000]) {
      assert.equal(readOutput(store.database, 'att', from, limit).toString(), text.slice(from, from + limit));
    }
  }
  assert.equal(readOutput(store.database, 'att', 9999, 10).length, 0);
  assert.deepEqual([storedBytes(store.database, 'att'), storedBytes(store.database, 'none')], [text.length, 0]);
});

test('a run is found by id, by number, and by its workspace’s name', () => {
  using store = openStore();
  const { database } = store;
  const [first, second, dashed] = [newRun(database, 'a', 1), newRun(database, 'a', 2), newRun(database, 'a-1', 3)];

  assert.equal(resolveRun(database, first), first);
  assert.equal(resolveRun(database, 'a'), second);
  assert.equal(resolveRun(database, 'a/1'), first);
  assert.equal(resolveRun(database, 'a-2'), second);
  assert.equal(resolveRun(database, 'a-1'), dashed, 'a workspace of that name wins');
  for (const unknown of ['b', 'a/9', 'a-9', 'run_0000000000000000', '']) {
    assert.throws(() => resolveRun(database, unknown), { code: 'RUN_NOT_FOUND' });
  }
});

test('runs are listed newest first, page by page', () => {
  using store = openStore();
  const { database } = store;
  const ids = [1, 2, 2, 3].map((queuedAtMs, index) => newRun(database, index === 3 ? 'b' : 'a', queuedAtMs));
  const reason = { class: 'cancelled' as const, sentence: 'No.' };
  finishRun(database, ids[0]!, { state: 'cancelled', reason, atMs: 5 });

  const all = listRuns(database, { limit: 10 }).map((run) => run.id);
  assert.deepEqual(all, ids.toReversed());
  const page = listRuns(database, { limit: 2, before: all[1] }).map((run) => run.id);
  assert.deepEqual(page, all.slice(2));
  assert.deepEqual(
    listRuns(database, { limit: 9, state: 'cancelled' }).map((run) => [run.id, run.reason]),
    [[ids[0], reason]],
  );
  assert.equal(listRuns(database, { limit: 9, workspace: 'b' }).length, 1);
  assert.equal(runsInState(database, 'gathering').length, 3);
  assert.equal(runView(database, ids[0]!).landing, 'none');
});
