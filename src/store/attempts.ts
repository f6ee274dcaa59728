import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { AttemptRequest } from '../contract/attempt.ts';
import { AttemptId, RunId, StepName } from '../contract/ids.ts';
import { AgentUsage, AttemptState, ConfinementUsed, FailureReason, RepoOutcome } from '../contract/run.ts';
import { StageResult } from '../contract/stage-result.ts';
import type { Database } from './database.ts';

const json = <Value>(schema: z.ZodType<Value>) =>
  z
    .string()
    .nullable()
    .transform((text): Value | null => (text === null ? null : schema.parse(JSON.parse(text))));

const AttemptRow = z
  .object({
    id: AttemptId,
    run: RunId,
    step: StepName,
    number: z.number(),
    state: AttemptState,
    reason: json(FailureReason),
    started_at_ms: z.number(),
    ended_at_ms: z.number().nullable(),
    exit_code: z.number().nullable(),
    result: json(StageResult),
    usage: json(AgentUsage),
    confinement: json(ConfinementUsed),
    repos: z.string(),
    session_id: z.string().nullable(),
    output_bytes: z.number(),
    is_sealed: z.number(),
    is_salvage: z.number(),
    agent_folder: z.string().nullable(),
  })
  .transform((row) => ({
    id: row.id,
    run: row.run,
    step: row.step,
    number: row.number,
    state: row.state,
    reason: row.reason,
    startedAtMs: row.started_at_ms,
    endedAtMs: row.ended_at_ms,
    exitCode: row.exit_code,
    result: row.result,
    usage: row.usage,
    confinement: row.confinement,
    repos: z.array(RepoOutcome).parse(JSON.parse(row.repos)),
    sessionId: row.session_id,
    outputBytes: row.output_bytes,
    isSealed: row.is_sealed === 1,
    isSalvage: row.is_salvage === 1,
    agentFolder: row.agent_folder,
  }));

/** One attempt as stored, without its request. */
export type StoredAttempt = z.infer<typeof AttemptRow>;

const COLUMNS = `id, run, step, number, state, reason, started_at_ms, ended_at_ms, exit_code, result, usage, confinement,
  repos, session_id, output_bytes, is_sealed, is_salvage, json_extract(request, '$.agentFolder') AS agent_folder`;

export const newAttemptId = (): AttemptId => AttemptId.parse(`att_${randomBytes(8).toString('hex')}`);

/** Inserts an attempt that is about to get a host. */
export function insertAttempt(
  database: Database,
  attempt: {
    readonly request: AttemptRequest;
    readonly sessionId: string | null;
    readonly isSalvage: boolean;
    readonly atMs: number;
  },
): void {
  const { request } = attempt;
  database
    .prepare(
      `INSERT INTO attempts (id, run, step, number, state, started_at_ms, session_id, is_salvage, request)
        VALUES (?, ?, ?, ?, 'starting', ?, ?, ?, ?)`,
    )
    .run(
      request.attempt,
      request.run,
      request.step,
      request.number,
      attempt.atMs,
      attempt.sessionId,
      attempt.isSalvage ? 1 : 0,
      JSON.stringify(request),
    );
}

export function findAttempt(database: Database, id: string): StoredAttempt | undefined {
  const row = database.prepare(`SELECT ${COLUMNS} FROM attempts WHERE id = ?`).get(id);
  return row === undefined ? undefined : AttemptRow.parse(row);
}

/** True once an attempt's end and whole output are stored; undefined if there is no such attempt. */
export function isAttemptSealed(database: Database, id: string): boolean | undefined {
  const row = database.prepare('SELECT is_sealed FROM attempts WHERE id = ?').get(id);
  return row === undefined ? undefined : row['is_sealed'] === 1;
}

/** All attempts of a run, in the order in which they began. */
export function attemptsOfRun(database: Database, run: string): StoredAttempt[] {
  return database
    .prepare(`SELECT ${COLUMNS} FROM attempts WHERE run = ? ORDER BY started_at_ms, rowid`)
    .all(run)
    .map((row) => AttemptRow.parse(row));
}

/** Attempts that have, or are about to have, a host. */
export function liveAttempts(database: Database): StoredAttempt[] {
  return database
    .prepare(`SELECT ${COLUMNS} FROM attempts WHERE state IN ('starting', 'running') ORDER BY started_at_ms, rowid`)
    .all()
    .map((row) => AttemptRow.parse(row));
}

/** The request as the attempt's host got it. */
export function attemptRequest(database: Database, id: string): AttemptRequest | undefined {
  const row = database.prepare('SELECT request FROM attempts WHERE id = ?').get(id);
  return row === undefined ? undefined : AttemptRequest.parse(JSON.parse(String(row['request'])));
}

/** A host has taken the attempt. True if it was not known before. */
export function markRunning(database: Database, id: string): boolean {
  const { changes } = database
    .prepare("UPDATE attempts SET state = 'running' WHERE id = ? AND state = 'starting'")
    .run(id);
  return Number(changes) > 0;
}

export interface AttemptEnd {
  readonly state: Exclude<AttemptState, 'starting' | 'running'>;
  readonly reason: FailureReason | null;
  readonly exitCode: number | null;
  readonly result: StageResult | null;
  readonly usage: AgentUsage | null;
  readonly confinement: ConfinementUsed | null;
  readonly repos: readonly RepoOutcome[];
  readonly outputBytes: number;
  readonly endedAtMs: number;
}

/** Gives a live attempt its end; its whole output has to be stored before. False if it had one already. */
export function sealAttempt(database: Database, id: string, end: AttemptEnd): boolean {
  const text = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));
  const { changes } = database
    .prepare(
      `UPDATE attempts SET state = ?, reason = ?, exit_code = ?, result = ?, usage = ?, confinement = ?, repos = ?,
          output_bytes = ?, ended_at_ms = ?, session_id = coalesce(?, session_id), is_sealed = 1
        WHERE id = ? AND state IN ('starting', 'running')`,
    )
    .run(
      end.state,
      text(end.reason),
      end.exitCode,
      text(end.result),
      text(end.usage),
      text(end.confinement),
      JSON.stringify(end.repos),
      end.outputBytes,
      end.endedAtMs,
      end.usage?.sessionId ?? null,
      id,
    );
  return Number(changes) > 0;
}

/** Notes how much output is stored. */
export function setOutputBytes(database: Database, id: string, bytes: number): void {
  database.prepare('UPDATE attempts SET output_bytes = ? WHERE id = ?').run(bytes, id);
}

/** The number of a step's next attempt in a run. */
export function nextAttemptNumber(database: Database, run: string, step: string): number {
  const row = database
    .prepare('SELECT coalesce(max(number), 0) + 1 AS next FROM attempts WHERE run = ? AND step = ?')
    .get(run, step);
  return Number(row?.['next']);
}
