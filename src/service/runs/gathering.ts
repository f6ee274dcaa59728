import type { RunId } from '../../contract/ids.ts';
import { runStartRef } from '../../contract/attempt.ts';
import { Fault } from '../../contract/faults.ts';
import type { RunRepo } from '../../contract/run.ts';
import { endWaiting } from '../../engine/trigger.ts';
import { pinCommits, refCommit } from '../../git/refs.ts';
import { rootOf } from '../../store/roots.ts';
import { dropRunRepo, runRepos, setRunStart } from '../../store/run-repos.ts';
import { findRun, setRunState, type StoredRun } from '../../store/runs.ts';
import { workspaceOf } from '../../store/workspaces.ts';
import { changeRun, type Desk } from './desk-parts.ts';
import { reasonFor } from './failure-reason.ts';

/** When the end of gathering was put off, or could not be stored. */
const AGAIN_AFTER_MS = 100;

/** Ends the gathering of runs in time. */
export interface Gathering {
  /** The run gathers, or goes on doing so: until when, the store says. */
  watch(run: RunId): void;
  stop(): void;
}

export function watchGathering(desk: Desk): Gathering {
  const timers = new Map<RunId, NodeJS.Timeout>();
  const watch = (id: RunId): void => {
    clearTimeout(timers.get(id));
    timers.delete(id);
    if (desk.signal.aborted) return;
    const run = findRun(desk.database, id);
    if (run?.state !== 'gathering') return;
    const leftMs = (run.gatherUntilMs ?? 0) - Date.now();
    if (leftMs > 0) timers.set(id, setTimeout(watch, leftMs, id));
    else {
      const end = desk.serially(id, () => endGathering(desk, run));
      end.catch((error: unknown) => desk.log.error({ err: error, run: id }, 'The end of a run could not be stored.'));
      void end.finally(() => watchOn(id)).catch(() => undefined);
    }
  };
  const watchOn = (id: RunId): void => {
    if (desk.signal.aborted) return;
    clearTimeout(timers.get(id));
    if (findRun(desk.database, id)?.state === 'gathering') timers.set(id, setTimeout(watch, AGAIN_AFTER_MS, id));
  };
  return {
    watch,
    stop() {
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}

/**
 * Pins the commits that a run begins with, so that no later force push loses them, and queues it. A push that came
 * meanwhile has put the end off: then the run goes on gathering.
 */
async function endGathering(desk: Desk, run: StoredRun): Promise<void> {
  try {
    const starts = await startsOf(desk, run);
    for (const { repo, commit } of starts) {
      await pinCommits(desk.layout.root(repo), [{ ref: runStartRef(run.id), commit }], desk);
    }
    desk.debugPoint?.('starts-pinned');
    queue(desk, run, starts);
    desk.dispatch();
  } catch (error) {
    if (findRun(desk.database, run.id)?.state !== 'gathering') return;
    const reason = reasonFor(error);
    endWaiting(desk.database, run, { state: 'failed', ...reason, nowMs: Date.now() });
    desk.bus.wake();
    desk.dispatch();
  }
}

interface Start {
  readonly repo: string;
  readonly role: RunRepo['role'];
  readonly position: number;
  readonly commit: string;
}

/** Repos that the run edits begin where the branch was seen, those that it reads at their default branch. */
async function startsOf(desk: Desk, run: StoredRun): Promise<Start[]> {
  const seen = runRepos(desk.database, run.id);
  const { repos } = workspaceOf(desk.database, run.workspace);
  return Promise.all(
    repos.map(async ({ name, role }, position): Promise<Start> => {
      const commit = role === 'edit' ? seen.find(({ repo }) => repo === name)?.start : await defaultHead(desk, name);
      if (commit === undefined) throw new Fault('BRANCH_MISSING', `The branch ${run.workspace} is missing in ${name}.`);
      return { repo: name, role, position, commit };
    }),
  );
}

async function defaultHead(desk: Desk, repo: string): Promise<string | undefined> {
  const { defaultBranch } = rootOf(desk.database, repo);
  return (await refCommit(desk.layout.root(repo), `refs/heads/${defaultBranch}`, desk)) ?? undefined;
}

function queue(desk: Desk, run: StoredRun, starts: readonly Start[]): void {
  const now = findRun(desk.database, run.id);
  const seen = runRepos(desk.database, run.id);
  const isUnchanged = starts.every(
    ({ repo, role, commit }) => role === 'read' || seen.some((each) => each.repo === repo && each.start === commit),
  );
  if (now?.state !== 'gathering' || now.gatherUntilMs !== run.gatherUntilMs || !isUnchanged) return;
  changeRun(desk, run, 'queued', () => {
    // A repo may have been taken out of the workspace meanwhile.
    for (const { repo } of seen)
      if (!starts.some((start) => start.repo === repo)) dropRunRepo(desk.database, run.id, repo);
    for (const start of starts) setRunStart(desk.database, run.id, start);
    setRunState(desk.database, run.id, 'queued');
  });
}
