import type { CommitId } from '../../contract/ids.ts';
import type { BranchTrace } from './branch-files.ts';
import type { RefWatches } from './ref-watches.ts';

/** What is known of one root repo. */
export interface Watched {
  /** The places that were looked at, and how they looked, before the last comparison. */
  places: string[];
  trace: BranchTrace | undefined;
  /** How they looked then, and since when: what stays the same for longer than a tick is settled, whatever its date. */
  looks: { readonly text: string; readonly sinceMs: number } | undefined;
  /** Branches of which a watch told, and that are compared in a moment. */
  readonly hinted: Set<string>;
  watches: RefWatches | undefined;
  /** What was reported of branches that `seen` lacks: they are nobody's workspace, and are not told of again. */
  reported: Map<string, CommitId>;
  /** The comparison that runs, and the one that waits for its end. */
  running: Promise<void> | undefined;
  next: Promise<void> | undefined;
}

export function newlyWatched(): Watched {
  return {
    places: [],
    trace: undefined,
    looks: undefined,
    hinted: new Set(),
    watches: undefined,
    reported: new Map(),
    running: undefined,
    next: undefined,
  };
}
