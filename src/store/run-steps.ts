import { z } from 'zod';
import { RunStep, StepKind } from '../contract/run.ts';
import type { Database } from './database.ts';

const RunStepRow = z
  .object({
    position: z.number(),
    name: RunStep.shape.name,
    kind: StepKind,
    title: z.string(),
    state: RunStep.shape.state,
    counts_from: z.number(),
  })
  .transform((row) => ({
    position: row.position,
    name: row.name,
    kind: row.kind,
    title: row.title,
    state: row.state,
    countsFrom: row.counts_from,
  }));

/** A step of a run; attempts below number `countsFrom` were made before a retry. */
export type StoredStep = z.infer<typeof RunStepRow>;

export function insertRunStep(
  database: Database,
  run: string,
  step: Pick<StoredStep, 'position' | 'name' | 'kind' | 'title'>,
): void {
  database
    .prepare("INSERT INTO run_steps (run, position, name, kind, title, state) VALUES (?, ?, ?, ?, ?, 'waiting')")
    .run(run, step.position, step.name, step.kind, step.title);
}

/** The steps of a run in order, `setup` first. */
export function runSteps(database: Database, run: string): StoredStep[] {
  return database
    .prepare('SELECT position, name, kind, title, state, counts_from FROM run_steps WHERE run = ? ORDER BY position')
    .all(run)
    .map((row) => RunStepRow.parse(row));
}

export function setStepState(database: Database, run: string, step: string, state: RunStep['state']): void {
  database.prepare('UPDATE run_steps SET state = ? WHERE run = ? AND name = ?').run(state, run, step);
}

/** The steps that a run will not reach any more. */
export function skipWaitingSteps(database: Database, run: string): void {
  database.prepare("UPDATE run_steps SET state = 'skipped' WHERE run = ? AND state IN ('waiting', 'asking')").run(run);
}

/** Makes a step wait again; only attempts from the next number on count towards its retries. */
export function reopenStep(database: Database, run: string, step: string): void {
  database
    .prepare(
      `UPDATE run_steps SET state = 'waiting', counts_from =
          (SELECT coalesce(max(number), 0) + 1 FROM attempts WHERE attempts.run = ?1 AND attempts.step = ?2)
        WHERE run = ?1 AND name = ?2`,
    )
    .run(run, step);
}
