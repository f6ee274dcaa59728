import type { BranchMove } from '../../service/watching/moves-between.ts';

/** Prints moves in the order in which they were seen, and knows whether the reader keeps up. */
export interface MoveQueue {
  add(moves: readonly BranchMove[]): void;
  /** Undefined while few wait to be printed, else resolves when all of them are. */
  untilRead(): Promise<void> | undefined;
  /** Resolves when all are printed or printing has failed; never rejects. */
  untilPrinted(): Promise<void>;
}

/** Describing a move takes some processes of git, so that a push of many branches is behind for a while. */
const WAITING_LIMIT = 1000;

/** `print` is called once at a time; after it has failed, `onFailure` hears why and nothing more is printed. */
export function openMoveQueue(
  print: (moves: readonly BranchMove[], seenAtMs: number) => Promise<void>,
  onFailure: (error: unknown) => void,
): MoveQueue {
  let waiting = 0;
  let hasFailed = false;
  let last: Promise<void> = Promise.resolve();

  async function printNext(moves: readonly BranchMove[], seenAtMs: number): Promise<void> {
    if (hasFailed) return;
    try {
      await print(moves, seenAtMs);
      waiting -= moves.length;
    } catch (error) {
      hasFailed = true;
      onFailure(error);
    }
  }

  return {
    add(moves) {
      const seenAtMs = Date.now();
      waiting += moves.length;
      last = last.then(() => printNext(moves, seenAtMs));
    },
    untilRead: () => (waiting < WAITING_LIMIT ? undefined : last),
    untilPrinted: () => last,
  };
}
