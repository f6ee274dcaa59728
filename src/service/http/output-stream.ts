import type { RunState } from '../../contract/run.ts';
import { Fault } from '../../contract/faults.ts';
import { attemptsOfRun, type StoredAttempt } from '../../store/attempts.ts';
import type { Database } from '../../store/database.ts';
import { readOutput } from '../../store/output.ts';
import { resolveRun } from '../../store/run-views.ts';
import { runOf } from '../../store/runs.ts';
import { runSteps } from '../../store/run-steps.ts';
import type { EventBus } from '../event-bus.ts';
import { createLatch } from '../latch.ts';
import type { StreamCall } from './binding.ts';

interface OutputParts {
  readonly database: Database;
  readonly bus: EventBus;
}

interface OutputWanted {
  readonly run: string;
  readonly step?: string | undefined;
  readonly attempt?: string | undefined;
  /** Byte offset within the one attempt. */
  readonly after: number;
  readonly follow: boolean;
}

const CHUNK_BYTES = 128 * 1024;
const LINE_LIMIT_BYTES = 64 * 1024 * 1024;
/** A run can end without an event of its own reaching this reader, so it looks by itself as well. */
const LOOK_AGAIN_MS = 5_000;

/**
 * A run's output as lines `{"step","attempt","offset","line"}`; `offset` is the byte after the line, to go on from.
 * Bytes are pulled from the store as the reader takes them. With `follow` it ends when the run is final and all was
 * sent.
 */
export function outputStream(
  { database, bus }: OutputParts,
  wanted: OutputWanted,
  { signal }: StreamCall,
): AsyncIterable<string> {
  const run = resolveRun(database, wanted.run);
  if (wanted.step !== undefined && !runSteps(database, run).some(({ name }) => name === wanted.step)) {
    throw new Fault('STEP_NOT_FOUND', `The run has no step ${wanted.step}.`);
  }
  if (wanted.attempt !== undefined && !attemptsOfRun(database, run).some(({ id }) => id === wanted.attempt)) {
    throw new Fault('STEP_NOT_FOUND', `The run has no attempt ${wanted.attempt}.`);
  }
  if (wanted.after > 0 && wanted.attempt === undefined)
    throw new Fault('INPUT_INVALID', 'after needs attempt: an offset is a place within one attempt.');
  return lines({ database, bus }, run, wanted, signal);
}

async function* lines(
  { database, bus }: OutputParts,
  run: string,
  wanted: OutputWanted,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const latch = createLatch();
  const stopWake = bus.onWake(latch.set);
  const stopOutput = bus.onOutputGrew((frame) => {
    if (frame.run === run) latch.set();
  });
  const offsets = new Map<string, number>();
  try {
    for (;;) {
      // Looked at before the bytes: what is final now has all its bytes in the store.
      const isOver = isSettled(database, run, wanted);
      for (const attempt of wantedAttempts(database, run, wanted)) {
        yield* newLines(database, attempt, offsets, wanted.after, signal);
      }
      if (isOver || !wanted.follow || signal.aborted) return;
      await latch.wait(LOOK_AGAIN_MS, signal);
    }
  } finally {
    stopWake();
    stopOutput();
  }
}

function wantedAttempts(database: Database, run: string, wanted: OutputWanted): StoredAttempt[] {
  return attemptsOfRun(database, run).filter(
    ({ id, step }) =>
      (wanted.attempt === undefined || id === wanted.attempt) && (wanted.step === undefined || step === wanted.step),
  );
}

const finalStates: readonly RunState[] = ['passed', 'failed', 'cancelled', 'superseded', 'rejected'];

function isSettled(database: Database, run: string, wanted: OutputWanted): boolean {
  const isEnded = ({ state }: StoredAttempt): boolean => state !== 'starting' && state !== 'running';
  if (wanted.attempt !== undefined) return wantedAttempts(database, run, wanted).every(isEnded);
  return finalStates.includes(runOf(database, run).state) && attemptsOfRun(database, run).every(isEnded);
}

/** The lines of an attempt that were not sent yet; a line whose end is not there yet waits. */
async function* newLines(
  database: Database,
  attempt: StoredAttempt,
  offsets: Map<string, number>,
  first: number,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  let offset = offsets.get(attempt.id) ?? first;
  let limitBytes = CHUNK_BYTES;
  while (!signal.aborted) {
    const bytes = readOutput(database, attempt.id, offset, limitBytes);
    const end = bytes.lastIndexOf(NEWLINE);
    if (end === -1) {
      if (bytes.length < limitBytes || limitBytes > LINE_LIMIT_BYTES) return;
      // One line longer than the chunk: take more at once.
      limitBytes *= 4;
      continue;
    }
    limitBytes = CHUNK_BYTES;
    yield wrapLines(bytes.subarray(0, end + 1), attempt, offset);
    offset += end + 1;
    offsets.set(attempt.id, offset);
  }
}

const NEWLINE = 0x0a;

function wrapLines(bytes: Buffer, { step, id }: StoredAttempt, from: number): string {
  const head = `{"step":${JSON.stringify(step)},"attempt":${JSON.stringify(id)},"offset":`;
  let text = '';
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, start);
    const line = bytes.toString('utf8', start, end);
    // A host that was killed in the middle of a line leaves one that is no JSON; a reader must not stumble over it.
    if (isJson(line)) text += `${head}${from + end + 1},"line":${line}}\n`;
    start = end + 1;
  }
  return text;
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
