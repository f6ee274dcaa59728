import { CommitId } from '../contract/ids.ts';
import type { Database } from './database.ts';

/** Where the workspace branches of a repo stood when they were last compared, by branch. */
export function seenRefs(database: Database, repo: string): Map<string, CommitId> {
  const rows = database.prepare('SELECT branch, commit_id FROM seen_refs WHERE repo = ?').all(repo);
  return new Map(rows.map((row) => [String(row['branch']), CommitId.parse(row['commit_id'])]));
}

/** One branch of one repo; undefined if it was absent. */
export function seenRef(database: Database, repo: string, branch: string): CommitId | undefined {
  const row = database.prepare('SELECT commit_id FROM seen_refs WHERE repo = ? AND branch = ?').get(repo, branch);
  return row === undefined ? undefined : CommitId.parse(row['commit_id']);
}

/** Whoever moves a branch for takt writes this too, so that the move triggers nothing. */
export function setSeenRef(database: Database, repo: string, branch: string, commit: string): void {
  database
    .prepare(
      'INSERT INTO seen_refs (repo, branch, commit_id) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET commit_id = excluded.commit_id',
    )
    .run(repo, branch, commit);
}

/** Moves what was seen only if it still is `from`: a later push that was seen already must not be forgotten. */
export function advanceSeenRef(database: Database, repo: string, branch: string, from: string, to: string): void {
  database
    .prepare('UPDATE seen_refs SET commit_id = ? WHERE repo = ? AND branch = ? AND commit_id = ?')
    .run(to, repo, branch, from);
}

export function dropSeenRef(database: Database, repo: string, branch: string): void {
  database.prepare('DELETE FROM seen_refs WHERE repo = ? AND branch = ?').run(repo, branch);
}

/** For a workspace that goes away. */
export function dropSeenRefsOfBranch(database: Database, branch: string): void {
  database.prepare('DELETE FROM seen_refs WHERE branch = ?').run(branch);
}
