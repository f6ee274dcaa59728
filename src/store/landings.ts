import { z } from 'zod';
import { AttemptId, CommitId, RepoName, RunId } from '../contract/ids.ts';
import type { Database } from './database.ts';

export const LandingState = z.enum(['planned', 'landed', 'foreign']);
export type LandingState = z.infer<typeof LandingState>;

const LandingRow = z
  .object({
    run: RunId,
    attempt: AttemptId,
    repo: RepoName,
    branch: z.string(),
    old_commit: CommitId,
    new_commit: CommitId,
    state: LandingState,
    at_ms: z.number(),
  })
  .transform((row) => ({
    run: row.run,
    attempt: row.attempt,
    repo: row.repo,
    branch: row.branch,
    old: row.old_commit,
    new: row.new_commit,
    state: row.state,
    atMs: row.at_ms,
  }));

/** One move of one branch, written down before it is made. */
export type Landing = z.infer<typeof LandingRow>;

const COLUMNS = 'run, attempt, repo, branch, old_commit, new_commit, state, at_ms';

/** Plans a move; planning it again after it was found foreign starts it afresh. */
export function planLanding(database: Database, landing: Omit<Landing, 'state'>): void {
  database
    .prepare(
      `INSERT INTO landings (run, attempt, repo, branch, old_commit, new_commit, state, at_ms)
        VALUES (?, ?, ?, ?, ?, ?, 'planned', ?)
        ON CONFLICT DO UPDATE SET old_commit = excluded.old_commit, new_commit = excluded.new_commit,
          state = 'planned', at_ms = excluded.at_ms`,
    )
    .run(landing.run, landing.attempt, landing.repo, landing.branch, landing.old, landing.new, landing.atMs);
}

export function settleLanding(
  database: Database,
  attempt: string,
  repo: string,
  state: Exclude<LandingState, 'planned'>,
): void {
  database.prepare('UPDATE landings SET state = ? WHERE attempt = ? AND repo = ?').run(state, attempt, repo);
}

export function landingsOfAttempt(database: Database, attempt: string): Landing[] {
  return database
    .prepare(`SELECT ${COLUMNS} FROM landings WHERE attempt = ? ORDER BY repo`)
    .all(attempt)
    .map((row) => LandingRow.parse(row));
}

/** All of a run's, in the order in which they were planned. */
export function landingsOfRun(database: Database, run: string): Landing[] {
  return database
    .prepare(`SELECT ${COLUMNS} FROM landings WHERE run = ? ORDER BY at_ms, rowid`)
    .all(run)
    .map((row) => LandingRow.parse(row));
}

/** Moves that were planned and not settled: what recovery rolls forward. */
export function openLandings(database: Database): Landing[] {
  return database
    .prepare(`SELECT ${COLUMNS} FROM landings WHERE state = 'planned' ORDER BY at_ms, rowid`)
    .all()
    .map((row) => LandingRow.parse(row));
}

/** True if takt itself is moving this branch to this commit just now. */
export function isLandingPlanned(database: Database, repo: string, branch: string, commit: string): boolean {
  const row = database
    .prepare("SELECT 1 FROM landings WHERE state = 'planned' AND repo = ? AND branch = ? AND new_commit = ?")
    .get(repo, branch, commit);
  return row !== undefined;
}
