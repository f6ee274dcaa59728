import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { AttemptOutcome, AttemptRequest } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';
import { forgetProbe } from '../confinement/probe.ts';
import { wallsFolder } from '../confinement/raise-walls.ts';
import type { Walls } from '../confinement/walls.ts';
import { writeFileDurablySync } from '../platform/files-sync.ts';
import type { AttemptDesk } from './attempt-desk.ts';
import { hasWalls } from './has-walls.ts';
import { openOutput } from './output-writer.ts';
import { performWork, raiseWallsOf } from './perform-work.ts';
import { PROTOCOL, readRequest } from './read-request.ts';
import { keepResult, secureWork } from './secure-work.ts';
import { reasonOf, settle } from './settle-attempt.ts';
import { takeAttempt } from './take-attempt.ts';
import { watchForEnd, type EndWatch } from './watch-for-end.ts';
import { makeWorkPipes } from './work-pipes.ts';
import type { WorkResult } from './work-result.ts';

/** `not_ours`: another host has the attempt, or it was revoked. `interrupted`: ended without an outcome. */
export type HostEnd = 'done' | 'not_ours' | 'interrupted';

const HEARTBEAT_MS = 2_000;

/**
 * Carries out the attempt in a spool folder: takes it, works, collects what the work left, and writes the outcome last.
 * Whatever goes wrong becomes an outcome; only a machine that shuts down, and a crash, leave none.
 */
export async function carryOutAttempt(folder: string): Promise<HostEnd> {
  if (!takeAttempt(folder)) return 'not_ours';
  let request: AttemptRequest;
  try {
    request = readRequest(folder);
  } catch (error) {
    writeOutcome(folder, { ...nothingDone, reason: reasonOf(error), endedAtMs: Date.now() });
    return 'done';
  }
  const watch = watchForEnd(folder, request);
  const output = openOutput(join(folder, 'output.ndjson'), request.outputLimitBytes, {
    onActivity: watch.touch,
    onLimit: () => watch.end('output_limit'),
    onDiskFault: () => watch.end('disk_full'),
  });
  const pipes = hasWalls(request.work) ? makeWorkPipes(request) : Promise.resolve('');
  // Whoever needs them waits for them, and meets the rejection there.
  pipes.catch(() => undefined);
  const outcome = await attempt({ request, folder, output, pipes, signal: watch.signal }, watch);
  await output.close();
  if (outcome === undefined) return 'interrupted';
  writeOutcome(folder, { ...outcome, outputBytes: output.bytes, endedAtMs: Date.now() });
  return 'done';
}

const nothingDone: AttemptOutcome = {
  protocol: PROTOCOL,
  state: 'broken',
  reason: null,
  exitCode: null,
  result: null,
  usage: null,
  confinement: null,
  repos: [],
  pushed: [],
  pulls: [],
  outputBytes: 0,
  endedAtMs: 0,
};

function writeOutcome(folder: string, outcome: AttemptOutcome): void {
  writeFileDurablySync(join(folder, 'outcome.json'), JSON.stringify(outcome));
}

/** The service ends a host that was asked to end and then seems dead; large repos take their time. */
function showLife(folder: string): void {
  const now = new Date();
  utimesSync(join(folder, 'host.json'), now, now);
}

/** The attempt from its walls to its commits; undefined if it was interrupted. */
async function attempt(desk: AttemptDesk, watch: EndWatch): Promise<AttemptOutcome | undefined> {
  const { request, output } = desk;
  let walls: Walls | undefined;
  let work: WorkResult;
  try {
    walls = hasWalls(request.work) ? await raiseWallsOf(desk) : undefined;
    work = await performWork(desk, walls, watch.touch);
  } catch (error) {
    const reason = reasonOf(error);
    if (reason.class === 'confinement') forgetProbe(wallsFolder(request.agentFolder));
    output.note(reason.sentence);
    if (error instanceof Fault && error.detail !== undefined) output.note(error.detail);
    work = { state: 'broken', reason, result: null, usage: null, exitCode: null };
  }
  watch.stop();
  const cause = watch.cause();
  if (cause === 'interrupted') return undefined;
  const heartbeat = setInterval(showLife, HEARTBEAT_MS, desk.folder);
  const settled = settle(work, cause, request);
  const collected = await secureWork(desk, walls, settled, work);
  if (walls !== undefined && work.result !== null) keepResult(desk, walls, work.result);
  clearInterval(heartbeat);
  if (collected.reason !== null) output.note(collected.reason.sentence);
  const { exitCode, result, usage } = work;
  return {
    ...nothingDone,
    ...collected,
    exitCode,
    result,
    usage,
    confinement: walls?.used ?? null,
    pushed: work.pushed ?? [],
    pulls: work.pulls ?? [],
  };
}
