import { closeSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { OutputLine } from '../contract/output.ts';

/** The log of one attempt. Lines are kept for a moment, so that a chatty program costs few writes. */
export interface OutputWriter {
  write(line: OutputLine): void;
  /** takt's own word, stamped with the time of now. */
  note(text: string): void;
  /** Length of the file so far; always the end of a line. */
  readonly bytes: number;
  /** Writes what is kept and makes it survive a power loss. May be called twice. */
  close(): Promise<void>;
}

interface OutputEvents {
  /** After each line that is not takt's own: the work is alive. */
  readonly onActivity: () => void;
  /** Once, when the limit was passed; all further output of the work is left out. */
  readonly onLimit: () => void;
  /** Once, when the disk took no more; the file still ends with a whole line. */
  readonly onDiskFault: (error: NodeJS.ErrnoException) => void;
}

const FLUSH_AFTER_MS = 20;
const JOINED_LIMIT_CHARS = 64 * 1024;
const LINE_LIMIT_BYTES = 1024 * 1024;

/** Opens `output.ndjson` of an attempt for appending. */
export function openOutput(file: string, limitBytes: number, events: OutputEvents): OutputWriter {
  return new NdjsonOutput(openSync(file, 'a', 0o644), limitBytes, events);
}

class NdjsonOutput implements OutputWriter {
  readonly #fd: number;
  readonly #limitBytes: number;
  readonly #events: OutputEvents;
  #written = 0;
  #joined: Extract<OutputLine, { kind: 'stdout' | 'stderr' }> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #state: 'open' | 'over_limit' | 'disk_fault' | 'closed' = 'open';

  constructor(fd: number, limitBytes: number, events: OutputEvents) {
    this.#fd = fd;
    this.#limitBytes = limitBytes;
    this.#events = events;
  }

  get bytes(): number {
    return this.#written;
  }

  write(line: OutputLine): void {
    if (line.kind !== 'note') this.#events.onActivity();
    if (this.#state !== 'open' && !(this.#state === 'over_limit' && line.kind === 'note')) return;
    if (line.kind !== 'stdout' && line.kind !== 'stderr') {
      this.#flush();
      this.#append(line);
      return;
    }
    const joined = this.#joined;
    if (joined?.kind === line.kind && joined.text.length + line.text.length <= JOINED_LIMIT_CHARS) {
      this.#joined = { ...joined, text: joined.text + line.text };
      return;
    }
    this.#flush();
    this.#joined = line;
    this.#timer = setTimeout(() => this.#flush(), FLUSH_AFTER_MS);
  }

  note(text: string): void {
    this.write({ kind: 'note', atMs: Date.now(), text });
  }

  close(): Promise<void> {
    if (this.#state === 'closed') return Promise.resolve();
    this.#flush();
    this.#state = 'closed';
    fsyncSync(this.#fd);
    closeSync(this.#fd);
    return Promise.resolve();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    const line = this.#joined;
    this.#joined = undefined;
    if (line !== undefined) this.#append(line);
  }

  #append(line: OutputLine): void {
    let bytes = encode(line);
    if (bytes.length > LINE_LIMIT_BYTES) {
      bytes = encode({ kind: 'note', atMs: line.atMs, text: `Left out: a ${line.kind} of ${bytes.length} bytes.` });
    }
    if (line.kind === 'note' || this.#written + bytes.length <= this.#limitBytes) {
      this.#put(bytes);
    } else if (this.#state === 'open') {
      this.#state = 'over_limit';
      this.note(`The output passed its limit of ${this.#limitBytes} bytes; the rest is left out.`);
      this.#events.onLimit();
    }
  }

  #put(bytes: Buffer): void {
    if (this.#state === 'disk_fault') return;
    let done = 0;
    try {
      while (done < bytes.length) done += writeSync(this.#fd, bytes, done);
      this.#written += bytes.length;
    } catch (error) {
      this.#state = 'disk_fault';
      // A reader takes whole lines only, so that half a line may not stay.
      ftruncateSync(this.#fd, this.#written);
      this.#events.onDiskFault(error as NodeJS.ErrnoException);
    }
  }
}

function encode(line: OutputLine): Buffer {
  return Buffer.from(`${JSON.stringify(line)}\n`);
}
