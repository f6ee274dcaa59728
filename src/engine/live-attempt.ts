import type { ChildProcess } from 'node:child_process';
import type { FSWatcher } from 'node:fs';
import type { AttemptHost } from '../contract/attempt.ts';
import type { StoredAttempt } from '../store/attempts.ts';
import type { StopReason } from '../store/runs.ts';

/** What the engine holds in memory of an attempt that is not over. All of it can be found again after a crash. */
export interface LiveAttempt {
  readonly id: StoredAttempt['id'];
  readonly run: StoredAttempt['run'];
  readonly workspace: string;
  readonly step: string;
  readonly number: number;
  /** Its folder in the spool. */
  readonly folder: string;
  /** Bytes of output that are stored. */
  storedBytes: number;
  outputFd: number | undefined;
  watcher: FSWatcher | undefined;
  host: AttemptHost | undefined;
  /** The process that this service started, while it lives; its host if it took the attempt. */
  child: ChildProcess | undefined;
  /** How often a process was started that never took the attempt. */
  startsInVain: number;
  startedAtMs: number;
  cancel: { readonly reason: StopReason; readonly sinceMs: number } | undefined;
  /** When something last happened in the folder. */
  lastSignMs: number;
  /** Its end is stored; whatever still comes of it is late. */
  isOver: boolean;
  isLooking: boolean;
  mustLookAgain: boolean;
  readonly settled: PromiseWithResolvers<StoredAttempt>;
}
