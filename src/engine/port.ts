import type { AttemptRequest } from '../contract/attempt.ts';
import type { AttemptId } from '../contract/ids.ts';
import type { StoredAttempt } from '../store/attempts.ts';
import type { StopReason } from '../store/runs.ts';

/** What the store keeps of an attempt beside its request. */
export interface AboutAttempt {
  /** Of an agent: known before it begins, so that it can be resumed whatever happens. */
  readonly sessionId?: string | undefined;
  readonly isSalvage?: boolean | undefined;
}

/**
 * Makes attempts durable: each is carried out by one host or by none, its output and its outcome reach the store
 * once, and all of that holds when the service is killed at any moment.
 *
 * Order of life: `recover` once, before anything else; then `ensureStarted` per attempt, `awaitOutcome` as often as
 * wanted, `cancel` at any time. Disposing leaves the hosts at work; the next engine takes up where this one ended.
 */
export interface Engine {
  /** Takes up every attempt that was alive when the last service ended. */
  recover(): Promise<void>;

  /** Gives the attempt a host. An attempt that the store knows already is left as it is. */
  ensureStarted(request: AttemptRequest, about?: AboutAttempt): Promise<void>;

  /** Resolves when the attempt's end and its whole output are stored; never rejects. */
  awaitOutcome(attempt: AttemptId): Promise<StoredAttempt>;

  /** Asks the attempt to end. It still ends through its outcome; may be called twice, and after the end. */
  cancel(attempt: AttemptId, reason: StopReason): Promise<void>;

  [Symbol.asyncDispose](): Promise<void>;
}
