import { keepReplaced } from './keep-replaced.ts';
import type { BranchMove } from './moves-between.ts';
import { removePushNote, type PushNote } from './push-spool.ts';

/** Pins what force pushes and deletions replace: one after the other, behind the moves, so that no run waits for it. */
export interface PinQueue {
  /** Notes that wait for their pins, and are not to be read again. */
  readonly taken: ReadonlySet<string>;
  keep(repo: string, rootFolder: string | undefined, moves: readonly BranchMove[]): void;
  /** The note goes when its pins are made: a crash in between leaves it, and a failure is tried again. */
  keepNote(note: PushNote, rootFolder: string | undefined): void;
  /** Call it with each sweep. */
  sweep(): void;
  settled(): Promise<void>;
}

interface PinNeeds {
  readonly pushSpool: string;
  readonly log: { warn(details: object, sentence: string): void };
  readonly signal: AbortSignal;
}

/** What cannot be pinned, since a disk is full or a lock is held, is tried again after so many sweeps. */
const SWEEPS_UNTIL_NEXT_TRY = 15;

export function createPinQueue({ pushSpool, log, signal }: PinNeeds): PinQueue {
  const taken = new Set<string>();
  const failed = new Map<string, number>();
  /** What was pinned last of each branch: a push comes by its note and by a comparison. */
  const pinned = new Map<string, string>();
  let last: Promise<void> = Promise.resolve();

  const pin = async (
    repo: string,
    rootFolder: string | undefined,
    moves: readonly Omit<BranchMove, 'repo'>[],
  ): Promise<boolean> => {
    if (rootFolder === undefined) return true;
    try {
      for (const move of moves) {
        const [branch, ends] = [`${repo} ${move.branch}`, `${move.from} ${move.to}`];
        if (pinned.get(branch) === ends) continue;
        await keepReplaced(rootFolder, move, { signal });
        pinned.set(branch, ends);
      }
      return true;
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error, repo }, 'what a force push replaced could not be pinned');
      return false;
    }
  };

  return {
    taken,
    keep(repo, rootFolder, moves) {
      last = last.then(async () => void (await pin(repo, rootFolder, moves)));
    },
    keepNote(note, rootFolder) {
      taken.add(note.file);
      last = last.then(async () => {
        const isPinned = await pin(note.repo, rootFolder, note.refs);
        if (signal.aborted) return;
        if (!isPinned) {
          failed.set(note.file, SWEEPS_UNTIL_NEXT_TRY);
          return;
        }
        removePushNote(pushSpool, note.file);
        taken.delete(note.file);
      });
    },
    sweep() {
      for (const [file, sweeps] of failed) {
        failed.set(file, sweeps - 1);
        if (sweeps > 1) continue;
        failed.delete(file);
        taken.delete(file);
      }
    },
    settled: () => last,
  };
}
