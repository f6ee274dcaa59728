import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AttemptRequest } from '../../src/contract/attempt.ts';
import type { AttemptId, RunId } from '../../src/contract/ids.ts';
import { Pipeline } from '../../src/contract/pipeline.ts';
import type { Engine } from '../../src/engine/port.ts';
import { openSpoolEngine } from '../../src/engine/spool-engine.ts';
import { newAttemptId } from '../../src/store/attempts.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { insertRunStep } from '../../src/store/run-steps.ts';
import { insertRun, newRunId, takeRunNumber } from '../../src/store/runs.ts';
import type { Play } from './fake-host.ts';

export const FAKE_HOST = [process.execPath, join(import.meta.dirname, 'fake-host.ts')];

/** A store and a spool in a folder of their own; engines come and go. */
export interface EngineHome {
  readonly folder: string;
  readonly spool: string;
  readonly database: Database;
  readonly said: string[];
  readonly sizes: Map<string, number>;
  openEngine(debugPoint?: (name: string) => void): Engine;
  /** A run in the store with one step named `test`. */
  newRun(): RunId;
  request(run: RunId, play: Play): AttemptRequest & { readonly attempt: AttemptId };
  [Symbol.asyncDispose](): Promise<void>;
}

export async function openEngineHome(at?: string): Promise<EngineHome> {
  const folder = at ?? (await mkdtemp(join(tmpdir(), 'takt-engine-')));
  const spool = join(folder, 'spool');
  await mkdir(spool, { recursive: true });
  const database = openDatabase(join(folder, 'takt.db'));
  const said: string[] = [];
  const sizes = new Map<string, number>();
  return {
    folder,
    spool,
    database,
    said,
    sizes,
    openEngine: (debugPoint) =>
      openSpoolEngine({
        database,
        spool,
        hostCommand: FAKE_HOST,
        wake: () => undefined,
        outputGrew: (frame) => sizes.set(frame.attempt, frame.size),
        log: (sentence) => said.push(sentence),
        debugPoint,
      }),
    newRun: () => newRun(database),
    request: (run, play) => requestFor(folder, run, play),
    async [Symbol.asyncDispose]() {
      database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function newRun(database: Database): RunId {
  const id = newRunId();
  const number = takeRunNumber(database, 'work');
  const pipeline = Pipeline.parse({ steps: [{ kind: 'command', name: 'test', run: 'true' }] });
  insertRun(database, {
    id,
    number,
    pipeline,
    trigger: 'manual',
    note: null,
    queuedAtMs: Date.now(),
    gatherUntilMs: 0,
    gatherLimitMs: 0,
    workspace: 'work' as never,
  });
  insertRunStep(database, id, { position: 1, name: pipeline.steps[0]!.name, kind: 'command', title: 'true' });
  return id;
}

function requestFor(folder: string, run: RunId, play: Play): AttemptRequest {
  return AttemptRequest.parse({
    protocol: 1,
    attempt: newAttemptId(),
    number: 1,
    run,
    runNumber: 1,
    workspace: 'work',
    step: 'test',
    work: { kind: 'command', run: JSON.stringify(play) },
    repos: [],
    runFolder: join(folder, 'runs'),
    agentFolder: join(folder, 'agents'),
    restore: false,
    needsChange: false,
    confinement: 'off',
    toolchains: [],
    guidance: [],
    environment: {},
    author: { name: 'Ada', email: 'ada@example.org' },
    earlier: [],
    timeoutMs: 60_000,
    silenceMs: 60_000,
    outputLimitBytes: 1024 * 1024 * 64,
  });
}
