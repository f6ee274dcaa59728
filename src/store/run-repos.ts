import { z } from 'zod';
import { CommitId } from '../contract/ids.ts';
import { RunRepo } from '../contract/run.ts';
import type { Database } from './database.ts';

const RunRepoRow = z
  .object({
    repo: RunRepo.shape.repo,
    role: RunRepo.shape.role,
    start_commit: CommitId,
    head_commit: CommitId,
    landed_commit: CommitId.nullable(),
  })
  .transform((row): RunRepo => ({
    repo: row.repo,
    role: row.role,
    start: row.start_commit,
    head: row.head_commit,
    landed: row.landed_commit,
  }));

/** Adds a repo to a run, or moves the start of one that it has: for a run that still gathers. */
export function setRunStart(
  database: Database,
  run: string,
  repo: { readonly repo: string; readonly role: 'edit' | 'read'; readonly position: number; readonly commit: string },
): void {
  database
    .prepare(
      `INSERT INTO run_repos (run, repo, role, position, start_commit, head_commit) VALUES (?1, ?2, ?3, ?4, ?5, ?5)
        ON CONFLICT DO UPDATE SET start_commit = excluded.start_commit, head_commit = excluded.head_commit`,
    )
    .run(run, repo.repo, repo.role, repo.position, repo.commit);
}

/** Takes a repo out of a run that has not begun. */
export function dropRunRepo(database: Database, run: string, repo: string): void {
  database.prepare('DELETE FROM run_repos WHERE run = ? AND repo = ?').run(run, repo);
}

/** The repos of a run, in the workspace's order. */
export function runRepos(database: Database, run: string): RunRepo[] {
  return database
    .prepare(
      'SELECT repo, role, start_commit, head_commit, landed_commit FROM run_repos WHERE run = ? ORDER BY position',
    )
    .all(run)
    .map((row) => RunRepoRow.parse(row));
}

/** What the next step begins with. */
export function setRunHead(database: Database, run: string, repo: string, commit: string): void {
  database.prepare('UPDATE run_repos SET head_commit = ? WHERE run = ? AND repo = ?').run(commit, run, repo);
}

/** What of the run is on the workspace's branch. */
export function setRunLanded(database: Database, run: string, repo: string, commit: string): void {
  database.prepare('UPDATE run_repos SET landed_commit = ? WHERE run = ? AND repo = ?').run(commit, run, repo);
}
