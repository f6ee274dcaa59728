import type { ConfigSource } from '../../config/config-source.ts';
import type { RunId } from '../../contract/ids.ts';
import type { Engine } from '../../engine/port.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import type { Database } from '../../store/database.ts';
import { appendEvent } from '../../store/events.ts';
import type { StoredRun } from '../../store/runs.ts';
import type { DeskLog } from './desk-log.ts';

/** What a run desk is made of. */
export interface RunDeskParts {
  readonly layout: HomeLayout;
  readonly database: Database;
  readonly config: ConfigSource;
  readonly engine: Engine;
  /** Called after each commit that appended events. */
  readonly bus: { wake(): void };
  readonly log: DeskLog;
  /** Brings what is known of the branches of these repos up to date; it ends in `onMoves`. */
  readonly checkRefs: (repos: readonly string[]) => Promise<void>;
  /** Called with a ref of a root repo into which an attempt may have fetched upstream's default branch. */
  readonly upstreamFetched: (repo: string, ref: string) => void;
  /** Files that are written into a run's folder: CLAUDE.md on top, context packets. */
  readonly guidanceFor: (workspace: string) => { readonly path: string; readonly text: string }[];
  /** Whether work can be confined here, and why not. */
  readonly confinement: () => Promise<{ readonly works: boolean; readonly why: string }>;
  /** The service's own environment, where a key for the model may be. */
  readonly environment: NodeJS.ProcessEnv;
  /** The operator's home, for a login of Claude Code and git's configuration. */
  readonly userHome: string;
  /** Called at named moments, so that a test can end the process there. */
  readonly debugPoint?: ((name: string) => void) | undefined;
}

/** A desk at work: its parts and what it holds in memory, all of which is found again after a crash. */
export interface Desk extends RunDeskParts {
  /** Runs that hold one of the places for a step. */
  readonly holding: Set<RunId>;
  /** Running runs whose next step waits for a place. */
  readonly wanting: Set<RunId>;
  /** Which block of ports a run has. */
  readonly portSlots: Map<RunId, number>;
  /** Aborted when the service stops. */
  readonly signal: AbortSignal;
  /** Does things to a run one after the other; the promise is that of the work. */
  readonly serially: (run: RunId, work: () => Promise<void>) => Promise<void>;
  /** Gives free places to those that wait for one. */
  readonly dispatch: () => void;
  /** Ends the run's gathering in time. */
  readonly watchGathering: (run: RunId) => void;
  /** Looks at a run and does what is next; what fails is tried again a few times. */
  readonly advance: (run: RunId) => void;
}

/** Changes a run in one transaction with its event, and wakes the readers of events. */
export function changeRun(
  desk: Pick<Desk, 'database' | 'bus'>,
  run: Pick<StoredRun, 'id' | 'workspace' | 'number'>,
  state: StoredRun['state'],
  change: (nowMs: number) => void,
): void {
  desk.database.transaction(() => {
    const atMs = Date.now();
    change(atMs);
    const { id, workspace, number } = run;
    appendEvent(desk.database, { topic: 'run.update', atMs, workspace, run: id, data: { state, number } });
  });
  desk.bus.wake();
}

/** Tells of a step's new state; belongs into the transaction that changes it. */
export function stepEvent(
  desk: Pick<Desk, 'database'>,
  run: Pick<StoredRun, 'id' | 'workspace'>,
  step: string,
  state: string,
  atMs: number,
): void {
  const { id, workspace } = run;
  appendEvent(desk.database, {
    topic: 'step.update',
    atMs,
    workspace,
    run: id,
    data: { step, state, attempt: null },
  });
}
