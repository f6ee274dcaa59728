import type { RunId, WorkspaceName } from '../contract/ids.ts';
import type { Pipeline } from '../contract/pipeline.ts';
import type { RunFeedback } from '../contract/pull-request.ts';
import type { FailureReason } from '../contract/run.ts';
import { SETUP_STEP } from '../pipeline/check-pipeline.ts';
import { stepTitle } from '../pipeline/step-title.ts';
import type { Database } from '../store/database.ts';
import { isBranchForwardPlanned } from '../store/branch-forwards.ts';
import { appendEvent } from '../store/events.ts';
import { isLandingPlanned } from '../store/landings.ts';
import { setRunStart } from '../store/run-repos.ts';
import { insertRunStep, skipWaitingSteps } from '../store/run-steps.ts';
import {
  activeRuns,
  extendGathering,
  finishRun,
  forbidLanding,
  insertRun,
  newRunId,
  requestStop,
  type StoredRun,
  takeRunNumber,
} from '../store/runs.ts';
import { dropSeenRef, seenRef, setSeenRef } from '../store/seen-refs.ts';
import { pipelineOf, roleIn, workspaceOf } from '../store/workspaces.ts';

/** A branch that stands elsewhere than it was seen; `to` is null if it is gone. */
export interface Move {
  readonly repo: string;
  readonly branch: string;
  readonly to: string | null;
}

/** What a transaction has left to do outside the store. */
export interface Affected {
  /** Runs that gather now, or go on doing so. */
  readonly gathering: readonly RunId[];
  /** Running runs that are to end. */
  readonly stopping: readonly RunId[];
  /** True if anything was written. */
  readonly isChanged: boolean;
}

export interface TriggerRules {
  readonly nowMs: number;
  readonly onNewPush: 'stop' | 'finish';
}

/** A run gathers until so long after the last push, so that a push to several repos is one run. */
const GATHER_MS = 1_000;
const GATHER_LIMIT_MS = 10_000;

/**
 * The one transaction of a trigger: what was seen, the run that follows, and the events. Moves that are no workspace's
 * branch in a repo that it edits, that were seen before, or that takt itself makes, change nothing; so it may be
 * called twice with the same moves.
 */
export function takeInMoves(database: Database, moves: readonly Move[], rules: TriggerRules): Affected {
  return database.transaction(() => {
    const pushed = new Set<string>();
    const stopping: RunId[] = [];
    let isChanged = false;
    for (const move of moves) {
      if (!takeInMove(database, move, rules.nowMs)) continue;
      isChanged = true;
      if (move.to === null) dropBranch(database, move.branch, rules.nowMs);
      else pushed.add(move.branch);
    }
    const gathering = [...pushed].flatMap((workspace) => {
      const pipeline = pipelineOf(database, workspace);
      if (pipeline === null) return [];
      const run = gatherPush(database, workspace, pipeline, rules, stopping);
      return run === undefined ? [] : [run];
    });
    return { gathering, stopping, isChanged };
  });
}

/** Inserts a run that was asked for by hand, or hastens the one that gathers; on what was seen last. */
export function insertManualRun(
  database: Database,
  workspace: string,
  note: string | null,
  rules: TriggerRules & { readonly pipeline: Pipeline; readonly feedback?: RunFeedback },
): { readonly run: RunId; readonly stopping: readonly RunId[] } {
  return database.transaction(() => {
    const stopping: RunId[] = [];
    const feedback = rules.feedback ?? null;
    const gathering = activeRuns(database, workspace).find((run) => run.state === 'gathering');
    // A run that gathers a push knows nothing of the feedback, so that one is superseded.
    const run =
      (feedback === null ? gathering?.id : undefined) ??
      newRun(
        database,
        workspace,
        { trigger: 'manual', note, pipeline: rules.pipeline, feedback, gatherMs: 0 },
        rules,
        stopping,
      );
    return { run, stopping };
  });
}

/** True if the branch is one that is watched, and this is news. */
function takeInMove(database: Database, { repo, branch, to }: Move, nowMs: number): boolean {
  if (roleIn(database, branch, repo) !== 'edit') return false;
  if ((seenRef(database, repo, branch) ?? null) === to) return false;
  // The transaction that settles takt's own move writes down what was seen.
  if (to !== null && isLandingPlanned(database, repo, branch, to)) return false;
  if (to !== null && isBranchForwardPlanned(database, repo, branch, to)) return false;
  if (to === null) dropSeenRef(database, repo, branch);
  else setSeenRef(database, repo, branch, to);
  appendEvent(database, { topic: 'branch.update', atMs: nowMs, workspace: branch, data: { repo, branch, commit: to } });
  return true;
}

function gatherPush(
  database: Database,
  workspace: string,
  pipeline: Pipeline,
  rules: TriggerRules,
  stopping: RunId[],
): RunId {
  const gathering = activeRuns(database, workspace).find((run) => run.state === 'gathering');
  if (gathering === undefined) {
    return newRun(
      database,
      workspace,
      { trigger: 'push', note: null, pipeline, feedback: null, gatherMs: GATHER_MS },
      rules,
      stopping,
    );
  }
  extendGathering(database, gathering.id, rules.nowMs + GATHER_MS);
  setStarts(database, gathering);
  return gathering.id;
}

function newRun(
  database: Database,
  workspace: string,
  given: Pick<StoredRun, 'trigger' | 'note' | 'pipeline' | 'feedback'> & { readonly gatherMs: number },
  rules: TriggerRules,
  stopping: RunId[],
): RunId {
  const { name } = workspaceOf(database, workspace);
  const run = { id: newRunId(), workspace: name, number: takeRunNumber(database, name) };
  for (const older of activeRuns(database, name)) stopping.push(...supersede(database, older, run.number, rules));
  const { nowMs } = rules;
  insertRun(database, {
    ...run,
    trigger: given.trigger,
    note: given.note,
    pipeline: given.pipeline,
    feedback: given.feedback,
    queuedAtMs: nowMs,
    gatherUntilMs: nowMs + given.gatherMs,
    gatherLimitMs: nowMs + (given.gatherMs === 0 ? 0 : GATHER_LIMIT_MS),
  });
  insertRunStep(database, run.id, { position: 0, name: SETUP_STEP, kind: 'setup', title: SETUP_STEP });
  given.pipeline.steps.forEach((step, index) =>
    insertRunStep(database, run.id, { position: index + 1, name: step.name, kind: step.kind, title: stepTitle(step) }),
  );
  setStarts(database, run);
  appendEvent(database, {
    topic: 'run.update',
    atMs: nowMs,
    workspace: name,
    run: run.id,
    data: { state: 'gathering', number: run.number },
  });
  return run.id;
}

/** The repos that the run changes, at what was seen of them; those that it only reads follow when it is queued. */
function setStarts(database: Database, run: { readonly id: RunId; readonly workspace: WorkspaceName }): void {
  workspaceOf(database, run.workspace).repos.forEach(({ name, role }, position) => {
    const commit = role === 'edit' ? seenRef(database, name, run.workspace) : undefined;
    if (commit !== undefined) setRunStart(database, run.id, { repo: name, role, position, commit });
  });
}

/** The latest wins. A run that waits for an approval has no slot, and what it shows can still be approved. */
function supersede(database: Database, older: StoredRun, number: number, rules: TriggerRules): RunId[] {
  switch (older.state) {
    case 'queued':
    case 'gathering':
      endWaiting(database, older, {
        state: 'superseded',
        class: 'superseded',
        sentence: `Run ${number} took its place.`,
        nowMs: rules.nowMs,
        supersededBy: number,
      });
      return [];
    case 'running':
      if (rules.onNewPush === 'finish') return [];
      requestStop(database, older.id, 'superseded', number);
      return [older.id];
    case 'waiting':
    case 'passed':
    case 'failed':
    case 'cancelled':
    case 'superseded':
    case 'rejected':
      return [];
  }
}

/** Without its branch, nothing of the workspace starts, and nothing that runs can land. */
function dropBranch(database: Database, workspace: string, nowMs: number): void {
  for (const run of activeRuns(database, workspace)) {
    if (run.state === 'gathering' || run.state === 'queued') {
      const sentence = `The branch ${workspace} was deleted.`;
      endWaiting(database, run, { state: 'cancelled', class: 'cancelled', sentence, nowMs });
    } else {
      forbidLanding(database, run.id);
    }
  }
}

export interface EndOfWaiting {
  readonly state: 'failed' | 'cancelled' | 'superseded' | 'rejected';
  readonly class: FailureReason['class'];
  readonly sentence: string;
  readonly nowMs: number;
  readonly supersededBy?: number;
}

/** Ends a run that has no attempt alive, with its event. */
export function endWaiting(database: Database, run: StoredRun, end: EndOfWaiting): void {
  database.transaction(() => {
    finishRun(database, run.id, {
      state: end.state,
      reason: { class: end.class, sentence: end.sentence },
      atMs: end.nowMs,
      ...(end.supersededBy === undefined ? {} : { supersededBy: end.supersededBy }),
    });
    skipWaitingSteps(database, run.id);
    appendEvent(database, {
      topic: 'run.update',
      atMs: end.nowMs,
      workspace: run.workspace,
      run: run.id,
      data: { state: end.state, number: run.number },
    });
  });
}
