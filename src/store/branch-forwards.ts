import { z } from 'zod';
import { CommitId, RepoName } from '../contract/ids.ts';
import type { Database } from './database.ts';

const BranchForwardRow = z
  .object({ repo: RepoName, branch: z.string(), old_commit: CommitId, new_commit: CommitId })
  .transform((row) => ({ repo: row.repo, branch: row.branch, old: row.old_commit, new: row.new_commit }));

/** A workspace's branch that takt is about to bring forward to where upstream's is. */
export type BranchForward = z.infer<typeof BranchForwardRow>;

/** Written down before the branch moves, so that the move triggers nothing, whatever happens in between. */
export function planBranchForward(database: Database, forward: BranchForward): void {
  database
    .prepare(
      `INSERT INTO branch_forwards (repo, branch, old_commit, new_commit) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET old_commit = excluded.old_commit, new_commit = excluded.new_commit`,
    )
    .run(forward.repo, forward.branch, forward.old, forward.new);
}

/** Those that were planned and neither made nor given up: what a crash left. */
export function openBranchForwards(database: Database): BranchForward[] {
  return database
    .prepare('SELECT repo, branch, old_commit, new_commit FROM branch_forwards ORDER BY repo, branch')
    .all()
    .map((row) => BranchForwardRow.parse(row));
}

/** True if takt itself is bringing this branch to this commit just now. */
export function isBranchForwardPlanned(database: Database, repo: string, branch: string, commit: string): boolean {
  const row = database
    .prepare('SELECT 1 FROM branch_forwards WHERE repo = ? AND branch = ? AND new_commit = ?')
    .get(repo, branch, commit);
  return row !== undefined;
}

export function dropBranchForward(database: Database, repo: string, branch: string): void {
  database.prepare('DELETE FROM branch_forwards WHERE repo = ? AND branch = ?').run(repo, branch);
}
