import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { Fault } from '../contract/faults.ts';
import { RunId, WorkspaceName } from '../contract/ids.ts';
import { Pipeline } from '../contract/pipeline.ts';
import { RunFeedback } from '../contract/pull-request.ts';
import { RepoConfig } from '../contract/repo.ts';
import { FailureReason, RunState, RunSummary } from '../contract/run.ts';
import { Settings } from '../contract/settings.ts';
import type { Database } from './database.ts';

/** Roles, settings and repos as they were when a run began to work. */
export const RunSnapshot = z.object({ rolesText: z.string(), settings: Settings, repos: z.array(RepoConfig) });
export type RunSnapshot = z.infer<typeof RunSnapshot>;

export const StopReason = z.enum(['cancelled', 'superseded']);
export type StopReason = z.infer<typeof StopReason>;

const RunRow = z
  .object({
    id: RunId,
    workspace: WorkspaceName,
    number: z.number(),
    state: RunState,
    trigger: RunSummary.shape.trigger,
    note: z.string().nullable(),
    queued_at_ms: z.number(),
    gather_until_ms: z.number().nullable(),
    gather_limit_ms: z.number().nullable(),
    started_at_ms: z.number().nullable(),
    ended_at_ms: z.number().nullable(),
    pipeline: z.string(),
    reason: z.string().nullable(),
    superseded_by: z.number().nullable(),
    folder: z.string().nullable(),
    may_land: z.number(),
    stopping: StopReason.nullable(),
    feedback: z.string().nullable(),
  })
  .transform((row) => ({
    id: row.id,
    workspace: row.workspace,
    number: row.number,
    state: row.state,
    trigger: row.trigger,
    note: row.note,
    queuedAtMs: row.queued_at_ms,
    gatherUntilMs: row.gather_until_ms,
    gatherLimitMs: row.gather_limit_ms,
    startedAtMs: row.started_at_ms,
    endedAtMs: row.ended_at_ms,
    pipeline: Pipeline.parse(JSON.parse(row.pipeline)),
    reason: row.reason === null ? null : FailureReason.parse(JSON.parse(row.reason)),
    supersededBy: row.superseded_by,
    folder: row.folder,
    mayLand: row.may_land === 1,
    stopping: row.stopping,
    feedback: row.feedback === null ? null : RunFeedback.parse(JSON.parse(row.feedback)),
  }));

const RunFolderRow = z.object({
  id: RunId,
  workspace: WorkspaceName,
  number: z.number(),
  folder: z.string().nullable(),
});

/** One run as stored, without its snapshot. */
export type StoredRun = z.infer<typeof RunRow>;

const COLUMNS = `id, workspace, number, state, trigger, note, queued_at_ms, gather_until_ms, gather_limit_ms,
  started_at_ms, ended_at_ms, pipeline, reason, superseded_by, folder, may_land, stopping, feedback`;

export const newRunId = (): RunId => RunId.parse(`run_${randomBytes(8).toString('hex')}`);

/** The number of a workspace's next run; it is never given out again, also after the workspace was deleted. */
export function takeRunNumber(database: Database, workspace: string): number {
  const row = database
    .prepare(
      'INSERT INTO run_numbers (workspace, latest) VALUES (?, 1) ON CONFLICT DO UPDATE SET latest = latest + 1 RETURNING latest',
    )
    .get(workspace);
  return Number(row?.['latest']);
}

/** Inserts a run that gathers; its repos and steps are inserted beside it. */
export function insertRun(
  database: Database,
  run: Pick<StoredRun, 'id' | 'workspace' | 'number' | 'trigger' | 'note' | 'queuedAtMs' | 'pipeline'> & {
    readonly feedback?: RunFeedback | null;
    readonly gatherUntilMs: number;
    readonly gatherLimitMs: number;
  },
): void {
  database
    .prepare(
      `INSERT INTO runs (id, workspace, number, state, trigger, note, queued_at_ms, gather_until_ms, gather_limit_ms, pipeline, feedback)
        VALUES (?, ?, ?, 'gathering', ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      run.id,
      run.workspace,
      run.number,
      run.trigger,
      run.note,
      run.queuedAtMs,
      run.gatherUntilMs,
      run.gatherLimitMs,
      JSON.stringify(run.pipeline),
      run.feedback === undefined || run.feedback === null ? null : JSON.stringify(run.feedback),
    );
}

export function findRun(database: Database, id: string): StoredRun | undefined {
  const row = database.prepare(`SELECT ${COLUMNS} FROM runs WHERE id = ?`).get(id);
  return row === undefined ? undefined : RunRow.parse(row);
}

/** Like `findRun`, with the fault RUN_NOT_FOUND where there is none. */
export function runOf(database: Database, id: string): StoredRun {
  const run = findRun(database, id);
  if (run === undefined) throw new Fault('RUN_NOT_FOUND', `No run ${id}.`);
  return run;
}

/** Runs in one of the four states that are not final, the longest queued first. */
export function runsInState(database: Database, state: 'gathering' | 'queued' | 'running' | 'waiting'): StoredRun[] {
  // The list of states repeats that of the partial index, which SQLite would not use otherwise.
  return database
    .prepare(
      `SELECT ${COLUMNS} FROM runs
        WHERE state = ? AND state IN ('gathering', 'queued', 'running', 'waiting') ORDER BY queued_at_ms, number`,
    )
    .all(state)
    .map((row) => RunRow.parse(row));
}

/** The runs of a workspace that are not final, oldest first. */
export function activeRuns(database: Database, workspace: string): StoredRun[] {
  return database
    .prepare(
      `SELECT ${COLUMNS} FROM runs
        WHERE workspace = ? AND state IN ('gathering', 'queued', 'running', 'waiting') ORDER BY number`,
    )
    .all(workspace)
    .map((row) => RunRow.parse(row));
}

/** The newest run of the same workspace that came after this one and is on its way; one that waits for a person is not. */
export function newerAtWork(
  database: Database,
  { workspace, number }: Pick<StoredRun, 'workspace' | 'number'>,
): StoredRun | undefined {
  return activeRuns(database, workspace).findLast((run) => run.number > number && run.state !== 'waiting');
}

/** Final runs that still have a folder. */
export function runsWithFolder(database: Database): StoredRun[] {
  return database
    .prepare(
      `SELECT ${COLUMNS} FROM runs
        WHERE folder IS NOT NULL AND state IN ('passed', 'failed', 'cancelled', 'superseded', 'rejected')`,
    )
    .all()
    .map((row) => RunRow.parse(row));
}

/** Every run that was ever made, with its folder while it has one. */
export function runFolders(database: Database): z.infer<typeof RunFolderRow>[] {
  return database
    .prepare('SELECT id, workspace, number, folder FROM runs')
    .all()
    .map((row) => RunFolderRow.parse(row));
}

/** Puts off the end of gathering, never beyond the run's own limit. */
export function extendGathering(database: Database, id: string, untilMs: number): void {
  database
    .prepare("UPDATE runs SET gather_until_ms = min(?, gather_limit_ms) WHERE id = ? AND state = 'gathering'")
    .run(untilMs, id);
}

export function setRunState(database: Database, id: string, state: RunState): void {
  database.prepare('UPDATE runs SET state = ? WHERE id = ?').run(state, id);
}

/** A queued run begins to work, or goes on: what it was given first stays. */
export function beginRun(
  database: Database,
  id: string,
  begin: { readonly atMs: number; readonly snapshot: RunSnapshot; readonly folder: string },
): void {
  database
    .prepare(
      `UPDATE runs SET state = 'running', started_at_ms = coalesce(started_at_ms, ?),
          snapshot = coalesce(snapshot, ?), folder = ? WHERE id = ?`,
    )
    .run(begin.atMs, JSON.stringify(begin.snapshot), begin.folder, id);
}

/** The run's snapshot; undefined while it has not begun. */
export function runSnapshot(database: Database, id: string): RunSnapshot | undefined {
  const row = database.prepare('SELECT snapshot FROM runs WHERE id = ?').get(id);
  return typeof row?.['snapshot'] === 'string' ? RunSnapshot.parse(JSON.parse(row['snapshot'])) : undefined;
}

/** Asks a running run to end; the first reason stays. */
export function requestStop(database: Database, id: string, stopping: StopReason, supersededBy: number | null): void {
  database
    .prepare(
      'UPDATE runs SET stopping = coalesce(stopping, ?), superseded_by = coalesce(superseded_by, ?) WHERE id = ?',
    )
    .run(stopping, supersededBy, id);
}

/** Gives a run its final state. */
export function finishRun(
  database: Database,
  id: string,
  end: {
    readonly state: 'passed' | 'failed' | 'cancelled' | 'superseded' | 'rejected';
    readonly reason: FailureReason | null;
    readonly atMs: number;
    readonly supersededBy?: number;
  },
): void {
  const reason = end.reason === null ? null : JSON.stringify(end.reason);
  database
    .prepare(
      `UPDATE runs SET state = ?, reason = ?, ended_at_ms = ?, stopping = NULL,
          superseded_by = coalesce(superseded_by, ?) WHERE id = ?`,
    )
    .run(end.state, reason, end.atMs, end.supersededBy ?? null, id);
}

/**
 * Makes a final run wait for its turn once more; it begins with the configuration of then. One that ended before it was
 * queued has its commits pinned first, and so gathers.
 */
export function reopenRun(database: Database, id: string, state: 'gathering' | 'queued'): void {
  database
    .prepare(
      `UPDATE runs SET state = ?, trigger = 'retry', reason = NULL, ended_at_ms = NULL, stopping = NULL,
          superseded_by = NULL, snapshot = NULL WHERE id = ?`,
    )
    .run(state, id);
}

/** True of a run that was retried and has not begun again. */
export function isRetried(database: Database, id: string): boolean {
  const row = database.prepare("SELECT 1 FROM runs WHERE id = ? AND trigger = 'retry' AND snapshot IS NULL").get(id);
  return row !== undefined;
}

/** Its branch was deleted: what it makes stays pinned and never lands. */
export function forbidLanding(database: Database, id: string): void {
  database.prepare('UPDATE runs SET may_land = 0 WHERE id = ?').run(id);
}

/** The run's folder was cleared away. */
export function dropRunFolder(database: Database, id: string): void {
  database.prepare('UPDATE runs SET folder = NULL WHERE id = ?').run(id);
}
