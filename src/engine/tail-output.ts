import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { OutputGrew } from '../contract/events.ts';
import { setOutputBytes } from '../store/attempts.ts';
import type { Database } from '../store/database.ts';
import { appendOutput } from '../store/output.ts';
import type { LiveAttempt } from './live-attempt.ts';
import { SpoolDamage } from './spool-folder.ts';

const BATCH_AFTER_MS = 30;
/** More than a host's longest line; what is longer is no line of a host. */
const LINE_LIMIT_BYTES = 4 * 1024 * 1024;
const BUFFER_BYTES = 256 * 1024;

/** Brings the output of live attempts into the store. */
export interface OutputTail {
  /** The attempt may have printed something: it is in the store 30 ms later, with that of all others. */
  mayHaveGrown(attempt: LiveAttempt): void;
  /** Stores everything up to `toByte`; throws `SpoolDamage` if the file is shorter. */
  drain(attempt: LiveAttempt, toByte: number): void;
  /** Stores every whole line that is there. */
  drainLines(attempt: LiveAttempt): void;
  stop(): void;
}

/** `onFault` gets what the store said, such as that the disk is full; the bytes stay in the spool and are tried again. */
export function tailOutput(p: {
  readonly database: Database;
  readonly outputGrew: (frame: OutputGrew) => void;
  readonly onFault: (error: unknown) => void;
}): OutputTail {
  const grown = new Set<LiveAttempt>();
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  let timer: NodeJS.Timeout | undefined;

  const store = (chunks: readonly Chunk[]): void => {
    p.database.transaction(() => {
      for (const { attempt, bytes } of chunks) {
        appendOutput(p.database, attempt.id, attempt.storedBytes, bytes);
        setOutputBytes(p.database, attempt.id, attempt.storedBytes + bytes.length);
      }
    });
    for (const { attempt, bytes } of chunks) {
      attempt.storedBytes += bytes.length;
      const { id, run, workspace, step, storedBytes } = attempt;
      p.outputGrew({ topic: 'step.output', attempt: id, run, workspace, step, size: storedBytes });
    }
  };
  const flush = (): void => {
    timer = undefined;
    const batch = [...grown].filter((attempt) => !attempt.isOver);
    grown.clear();
    try {
      const chunks = batch.flatMap((attempt) => chunkOf(attempt, readLines(attempt, buffer)));
      if (chunks.length === 0) return;
      store(chunks);
      for (const { attempt } of chunks) mayHaveGrown(attempt);
    } catch (error) {
      p.onFault(error);
    }
  };
  const mayHaveGrown = (attempt: LiveAttempt): void => {
    grown.add(attempt);
    timer ??= setTimeout(flush, BATCH_AFTER_MS);
  };
  const drain = (attempt: LiveAttempt, toByte: number): void => {
    while (attempt.storedBytes < toByte) {
      const bytes = readSome(attempt, buffer.subarray(0, Math.min(buffer.length, toByte - attempt.storedBytes)));
      if (bytes.length === 0) throw new SpoolDamage(`output.ndjson ends at ${attempt.storedBytes} of ${toByte} bytes.`);
      store(chunkOf(attempt, bytes));
    }
  };
  const drainLines = (attempt: LiveAttempt): void => {
    for (;;) {
      const bytes = readLines(attempt, buffer);
      if (bytes.length === 0) return;
      store(chunkOf(attempt, bytes));
    }
  };
  return { mayHaveGrown, drain, drainLines, stop: () => clearTimeout(timer) };
}

/** Lets go of the file that was tailed. */
export function closeOutput(attempt: LiveAttempt): void {
  if (attempt.outputFd !== undefined) closeSync(attempt.outputFd);
  attempt.outputFd = undefined;
}

interface Chunk {
  readonly attempt: LiveAttempt;
  readonly bytes: Buffer;
}

/** A copy, since the buffer is read into again. */
function chunkOf(attempt: LiveAttempt, bytes: Buffer): Chunk[] {
  return bytes.length === 0 ? [] : [{ attempt, bytes: Buffer.from(bytes) }];
}

/** Whole lines only: a host whose disk is full takes back the half line that it wrote. */
function readLines(attempt: LiveAttempt, buffer: Buffer): Buffer {
  let room = buffer;
  for (;;) {
    const bytes = readSome(attempt, room);
    const end = bytes.lastIndexOf(0x0a) + 1;
    if (end > 0 || bytes.length < room.length) return bytes.subarray(0, end);
    if (room.length >= LINE_LIMIT_BYTES) return bytes;
    room = Buffer.allocUnsafe(room.length * 4);
  }
}

function readSome(attempt: LiveAttempt, room: Buffer): Buffer {
  attempt.outputFd ??= openOutput(attempt.folder);
  if (attempt.outputFd === undefined) return room.subarray(0, 0);
  return room.subarray(0, readSync(attempt.outputFd, room, 0, room.length, attempt.storedBytes));
}

function openOutput(folder: string): number | undefined {
  try {
    return openSync(join(folder, 'output.ndjson'), 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
