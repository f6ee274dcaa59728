import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockHome } from '../../src/service/home-lock.ts';
import type { Database } from '../../src/store/database.ts';
import { insertWorkspace } from '../../src/store/workspaces.ts';
import { age, doctorHome, left } from './doctor-home.ts';

const runId = (letter: string): string => `run_${letter.repeat(16)}`;
const attemptId = (letter: string): string => `att_${letter.repeat(16)}`;

function addRun(database: Database, id: string, number: number, folder: string | null): void {
  database
    .prepare(
      `INSERT INTO runs (id, workspace, number, state, trigger, queued_at_ms, pipeline, folder)
        VALUES (?, 'task', ?, 'failed', 'push', 1, '{"steps":[]}', ?)`,
    )
    .run(id, number, folder);
}

function addAttempt(database: Database, id: string, run: string, number: number, isSealed: boolean): void {
  database
    .prepare(
      `INSERT INTO attempts (id, run, step, number, state, started_at_ms, request, is_sealed)
        VALUES (?, ?, 'test', ?, ?, 1, '{}', ?)`,
    )
    .run(id, run, number, isSealed ? 'failed' : 'running', isSealed ? 1 : 0);
}

test('what was half-made is removed while no service runs, and whole things stay', async () => {
  using home = await doctorHome();
  const { roots, workspaces } = home.layout;
  left(join(roots, '.new-app-1234'));
  left(join(workspaces, '.new-task-1-2'));
  left(join(roots, 'app'));
  left(join(workspaces, 'task'));
  left(join(roots, '.newer'));

  const broken = await home.state('half-made');
  await home.mend('half-made');

  assert.equal(broken, 'warning: root/.new-app-1234, workspaces/.new-task-1-2');
  assert.equal(await home.state('half-made'), 'ok: nothing');
  assert.deepEqual(
    [join(roots, 'app', 'file'), join(workspaces, 'task', 'file'), join(roots, '.newer', 'file')].map((path) =>
      existsSync(path),
    ),
    [true, true, true],
  );
});

test('what is being made is no leftover, and what a service may be making is only named', async () => {
  using home = await doctorHome();
  const half = join(home.layout.roots, '.new-app-1234');
  mkdirSync(half);
  assert.equal(await home.state('half-made'), 'ok: nothing');

  age(half, 30);
  const { repair } = await home.look('half-made');
  const lock = await lockHome(home.layout);
  try {
    const amid = await home.look('half-made');
    assert.match(amid.found, /perhaps still in the making/);
    assert.equal(amid.repair, undefined);
    await assert.rejects(async () => repair!(AbortSignal.timeout(10_000)), { code: 'SERVICE_LOCKED' });
  } finally {
    lock.release();
  }
  assert.equal(existsSync(half), true);
});

test('pushes that nobody took in are counted, and what no hook wrote is named', async () => {
  using home = await doctorHome();
  const note = join(home.layout.pushSpool, 'app.1.0');
  writeFileSync(note, 'end\n');
  assert.equal(await home.state('pushes'), 'ok: all taken in');

  age(note, 5);
  const { state, found, fix } = await home.look('pushes');

  assert.deepEqual([state, found], ['warning', '1 push not taken in, since no service runs']);
  assert.match(fix, /takt service start/);
  assert.equal(existsSync(note), true);
});

test('files that were set aside from the spool of pushes are named with what removes them', async () => {
  using home = await doctorHome();
  const folder = join(home.layout.state, 'spool', 'broken-pushes');
  left(folder, 'app.1.0');

  const { found, fix, repair } = await home.look('pushes');

  assert.equal(found, '1 file in .state/spool/broken-pushes, which no hook wrote so');
  assert.ok(fix.includes(`rm -rf ${folder}`), fix);
  assert.equal(repair, undefined);
});

test('the spool of a sealed attempt goes, that of one at work or unknown stays', async () => {
  using home = await doctorHome();
  home.store((database) => {
    addRun(database, runId('a'), 1, null);
    addAttempt(database, attemptId('a'), runId('a'), 1, true);
    addAttempt(database, attemptId('b'), runId('a'), 2, false);
  });
  for (const letter of ['a', 'b', 'c']) left(home.layout.attemptSpool(attemptId(letter)));

  const { state, found, fix } = await home.look('step spool');
  await home.mend('step spool');

  assert.equal(state, 'warning');
  assert.match(found, /^over and stored: \S+att_a+; of no attempt that the store knows: \S+att_c+$/);
  assert.ok(fix.includes(`rm -rf ${home.layout.attemptSpool(attemptId('c'))}`), fix);
  assert.deepEqual(
    ['a', 'b', 'c'].map((letter) => existsSync(home.layout.attemptSpool(attemptId(letter)))),
    [false, true, true],
  );
  assert.match(await home.state('step spool'), /^warning: of no attempt/);
});

test('folders of runs that are gone are only named: they may hold work', async () => {
  using home = await doctorHome();
  const { runs } = home.layout;
  home.store((database) => {
    addRun(database, runId('a'), 1, join(runs, 'task-1'));
    addRun(database, runId('b'), 2, null);
  });
  for (const name of ['task-1', 'task-2', 'other-7']) left(join(runs, name));

  const { state, found, fix, repair } = await home.look('run folders');

  assert.deepEqual([state, repair], ['warning', undefined]);
  assert.equal(found, 'of no run that has one: runs/other-7, runs/task-2');
  assert.ok(fix.includes(`rm -rf ${join(runs, 'other-7')} ${join(runs, 'task-2')}`), fix);
});

test('caches of workspaces that are gone go, and those of others stay', async () => {
  using home = await doctorHome();
  const { caches, agentHomes } = home.layout;
  home.store((database) => {
    insertWorkspace(database, { name: 'task', base: 'main', createdAtMs: 1, repos: [] });
    addRun(database, runId('a'), 1, join(home.layout.runs, 'task-1'));
    addRun(database, runId('b'), 2, null);
  });
  for (const name of ['task', 'gone']) left(join(caches, name));
  for (const letter of ['a', 'b', 'c']) left(join(agentHomes, runId(letter)));

  const { found, fix } = await home.look('caches');
  await home.mend('caches');

  assert.equal(
    found,
    `of workspaces and runs that are gone: .state/cache/gone, .state/agents/${runId('b')}; homes of agents of no run: .state/agents/${runId('c')}`,
  );
  assert.ok(fix.includes(`rm -rf ${join(agentHomes, runId('c'))}`), fix);
  const places = [
    join(caches, 'task'),
    join(caches, 'gone'),
    ...['a', 'b', 'c'].map((letter) => join(agentHomes, runId(letter))),
  ];
  assert.deepEqual(
    places.map((path) => existsSync(path)),
    [true, false, true, false, true],
  );
});

test('folders that were put aside are named with their size and what removes them', async () => {
  using home = await doctorHome();
  const kept = join(home.layout.runs, 'task-1.kept-17');
  const aside = join(home.layout.state, 'aside', "o'task-app-18");
  left(kept);
  left(aside);

  const { state, found, fix, repair } = await home.look('kept folders');

  assert.deepEqual([state, repair], ['warning', undefined]);
  assert.ok(found.includes(`${kept} (5 B), ${aside} (5 B)`), found);
  assert.ok(fix.endsWith(`rm -rf ${kept} '${home.layout.state}/aside/o'\\''task-app-18'`), fix);
});

test('without a store, what lies in its folders is named and nothing of it is removed', async () => {
  using home = await doctorHome();
  rmSync(home.layout.database);
  left(home.layout.attemptSpool(attemptId('a')));
  left(join(home.layout.runs, 'task-1'));
  left(join(home.layout.caches, 'task'));

  const results = await Promise.all(['step spool', 'run folders', 'caches'].map((name) => home.look(name)));

  assert.deepEqual(
    results.map(({ state, repair }) => [state, repair]),
    [
      ['warning', undefined],
      ['warning', undefined],
      ['ok', undefined],
    ],
  );
});

test('what hosts know of a run is of that run, and what walls keep is of all', async () => {
  using home = await doctorHome();
  const { agentHomes } = home.layout;
  home.store((database) => {
    addRun(database, runId('a'), 1, join(home.layout.runs, 'task-1'));
    addRun(database, runId('b'), 2, null);
  });
  for (const name of ['.walls', `${runId('a')}.host`]) left(join(agentHomes, name));
  assert.equal(await home.state('caches'), 'ok: each of a workspace or run that is there');

  for (const letter of ['b', 'c']) left(join(agentHomes, `${runId(letter)}.host`));
  const { found } = await home.look('caches');
  await home.mend('caches');

  assert.equal(
    found,
    `of workspaces and runs that are gone: .state/agents/${runId('b')}.host; homes of agents of no run: .state/agents/${runId('c')}.host`,
  );
  assert.deepEqual(
    ['.walls', ...['a', 'b', 'c'].map((letter) => `${runId(letter)}.host`)].map((name) =>
      existsSync(join(agentHomes, name)),
    ),
    [true, true, false, true],
  );
});

test('what came into use after the look stays, and what is still useless goes', async () => {
  using home = await doctorHome();
  for (const name of ['again', 'gone']) left(join(home.layout.caches, name));
  const { repair } = await home.look('caches');

  home.store((database) => insertWorkspace(database, { name: 'again', base: 'main', createdAtMs: 1, repos: [] }));
  const did = await repair!(AbortSignal.timeout(10_000));

  assert.equal(did, 'removed .state/cache/gone');
  assert.deepEqual(
    ['again', 'gone'].map((name) => existsSync(join(home.layout.caches, name))),
    [true, false],
  );
});
