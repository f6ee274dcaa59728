import { z } from 'zod';
import { CommitId } from '../contract/ids.ts';
import type { Database } from './database.ts';

const ClonePullRow = z
  .object({ old_commit: CommitId, new_commit: CommitId })
  .transform((row) => ({ old: row.old_commit, new: row.new_commit }));

/** Between which commits a clone was being moved. */
export type ClonePull = z.infer<typeof ClonePullRow>;

/** Written down before anything of the clone is touched. */
export function planClonePull(database: Database, workspace: string, repo: string, pull: ClonePull): void {
  database
    .prepare(
      `INSERT INTO clone_pulls (workspace, repo, old_commit, new_commit) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET old_commit = excluded.old_commit, new_commit = excluded.new_commit`,
    )
    .run(workspace, repo, pull.old, pull.new);
}

/** What a crash left of a pull; undefined if the last one came to its end. */
export function openClonePull(database: Database, workspace: string, repo: string): ClonePull | undefined {
  const row = database
    .prepare('SELECT old_commit, new_commit FROM clone_pulls WHERE workspace = ? AND repo = ?')
    .get(workspace, repo);
  return row === undefined ? undefined : ClonePullRow.parse(row);
}

export function dropClonePull(database: Database, workspace: string, repo: string): void {
  database.prepare('DELETE FROM clone_pulls WHERE workspace = ? AND repo = ?').run(workspace, repo);
}
