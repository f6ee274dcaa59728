import { CommitId } from '../contract/ids.ts';
import type { Database } from './database.ts';

/** What upstream's branch was at our last fetch or push of it; null if it was absent. */
export function upstreamHead(database: Database, repo: string, branch: string): CommitId | null {
  const row = database.prepare('SELECT commit_id FROM upstream_heads WHERE repo = ? AND branch = ?').get(repo, branch);
  return row === undefined ? null : CommitId.parse(row['commit_id']);
}

export function recordUpstreamHead(
  database: Database,
  head: { readonly repo: string; readonly branch: string; readonly commit: string; readonly atMs: number },
): void {
  database
    .prepare(
      `INSERT INTO upstream_heads (repo, branch, commit_id, recorded_at_ms) VALUES (?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET commit_id = excluded.commit_id, recorded_at_ms = excluded.recorded_at_ms`,
    )
    .run(head.repo, head.branch, head.commit, head.atMs);
}

/** Upstream's branch is gone. */
export function dropUpstreamHead(database: Database, repo: string, branch: string): void {
  database.prepare('DELETE FROM upstream_heads WHERE repo = ? AND branch = ?').run(repo, branch);
}
