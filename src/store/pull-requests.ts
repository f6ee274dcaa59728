import { z } from 'zod';
import { CommitId, RepoName, TimestampMs, WorkspaceName } from '../contract/ids.ts';
import { type OpenedPull, PullRequest, PullSight, type RunFeedback } from '../contract/pull-request.ts';
import type { Database } from './database.ts';

const PullRow = z
  .object({
    workspace: WorkspaceName,
    repo: RepoName,
    host: z.string(),
    owner: z.string(),
    name: z.string(),
    number: z.number(),
    url: z.string(),
    base: z.string(),
    opened_at_ms: TimestampMs,
    sight: z.string(),
    looked_at_ms: TimestampMs.nullable(),
    fault: z.string().nullable(),
  })
  .transform((row) => ({
    workspace: row.workspace,
    repo: row.repo,
    place: { host: row.host, owner: row.owner, name: row.name },
    number: row.number,
    url: row.url,
    base: row.base,
    openedAtMs: row.opened_at_ms,
    sight: PullSight.parse(JSON.parse(row.sight)),
    lookedAtMs: row.looked_at_ms,
    fault: row.fault === null ? null : PullRequest.shape.fault.parse(JSON.parse(row.fault)),
  }));

/** A pull request as stored; its turn depends on the repos of the workspace. */
export type StoredPull = z.infer<typeof PullRow>;

const COLUMNS = `workspace, repo, host, owner, name, number, url, base, opened_at_ms, sight, looked_at_ms, fault`;
const KEY = 'workspace = ? AND repo = ? AND host = ? AND owner = ? AND name = ? AND number = ?';

/** Notes a pull request that was opened or brought up to date; what was seen of it before stays. */
export function recordOpenedPull(database: Database, workspace: string, opened: OpenedPull, atMs: number): void {
  const { repo, place, number, url, title, base, head, isDraft, state } = opened;
  const before = pullsOf(database, workspace).find((pull) => isSame(pull, opened));
  const fresh = { state: 'open' as const, mergeCommit: null, review: 'none' as const, checks: [], comments: [] };
  const sight = { ...(before?.sight ?? fresh), state, title, head, isDraft };
  // A repository that was renamed keeps the numbers of its pull requests.
  forgetRenamed(database, workspace, opened);
  database
    .prepare(
      `INSERT INTO pull_requests (workspace, repo, host, owner, name, number, url, base, opened_at_ms, sight)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET url = excluded.url, base = excluded.base, sight = excluded.sight`,
    )
    .run(workspace, repo, place.host, place.owner, place.name, number, url, base, atMs, JSON.stringify(sight));
}

/** The pull requests of a workspace, the newest of a repo last. */
export function pullsOf(database: Database, workspace: string): StoredPull[] {
  return database
    .prepare(`SELECT ${COLUMNS} FROM pull_requests WHERE workspace = ? ORDER BY opened_at_ms, number`)
    .all(workspace)
    .map((row) => PullRow.parse(row));
}

/** All pull requests, by workspace. */
export function allPulls(database: Database): StoredPull[] {
  return database
    .prepare(`SELECT ${COLUMNS} FROM pull_requests ORDER BY workspace, opened_at_ms, number`)
    .all()
    .map((row) => PullRow.parse(row));
}

/** Stores what a look saw that began then; one that began after it has seen newer things already. */
export function recordSight(database: Database, pull: StoredPull, sight: PullSight, beganAtMs: number): void {
  database
    .prepare(
      `UPDATE pull_requests SET sight = ?, looked_at_ms = ?, fault = NULL
        WHERE ${KEY} AND (looked_at_ms IS NULL OR looked_at_ms <= ?)`,
    )
    .run(JSON.stringify(sight), beganAtMs, ...keyOf(pull), beganAtMs);
}

/** A look that failed; what was seen before stays, and so does the time of that. */
export function recordLookFault(
  database: Database,
  pull: StoredPull,
  fault: { readonly code: string; readonly message: string },
): void {
  database.prepare(`UPDATE pull_requests SET fault = ? WHERE ${KEY}`).run(JSON.stringify(fault), ...keyOf(pull));
}

/** Of each pull request only what says how it stands, for lists of many workspaces. */
export function pullStates(database: Database): PullStanding[] {
  return database
    .prepare(
      `SELECT workspace, repo, number, opened_at_ms, sight ->> '$.state' AS state, sight ->> '$.head' AS head
        FROM pull_requests ORDER BY workspace, opened_at_ms, number`,
    )
    .all()
    .map((row) => StandingRow.parse(row));
}

const StandingRow = z
  .object({
    workspace: WorkspaceName,
    repo: RepoName,
    number: z.number(),
    opened_at_ms: TimestampMs,
    state: PullSight.shape.state,
    head: CommitId,
  })
  .transform(({ opened_at_ms: openedAtMs, ...row }) => ({ ...row, openedAtMs }));
export type PullStanding = z.infer<typeof StandingRow>;

/** Commits of a repo that pull requests of a workspace brought upstream, as GitHub says. */
export function mergedHeads(database: Database, workspace: string, repo: string): CommitId[] {
  return pullStates(database)
    .filter((pull) => pull.workspace === workspace && pull.repo === repo && pull.state === 'merged')
    .map(({ head }) => head);
}

/** Comments of a workspace's pull requests that an agent has read. */
export function answeredComments(database: Database, workspace: string): Set<string> {
  const rows = database.prepare('SELECT repo, comment FROM answered_comments WHERE workspace = ?').all(workspace);
  return new Set(rows.map((row) => `${String(row['repo'])} ${String(row['comment'])}`));
}

export function recordAnswered(database: Database, workspace: string, comments: RunFeedback['comments']): void {
  for (const { repo, comment } of comments)
    database
      .prepare(
        `INSERT INTO answered_comments (workspace, repo, comment)
          SELECT name, ?, ? FROM workspaces WHERE name = ? ON CONFLICT DO NOTHING`,
      )
      .run(repo, comment, workspace);
}

function forgetRenamed(database: Database, workspace: string, { repo, place, number }: OpenedPull): void {
  database
    .prepare(
      `DELETE FROM pull_requests
        WHERE workspace = ? AND repo = ? AND host = ? AND number = ? AND (owner <> ? OR name <> ?)`,
    )
    .run(workspace, repo, place.host, number, place.owner, place.name);
}

const keyOf = ({ workspace, repo, place, number }: StoredPull): (string | number)[] => [
  workspace,
  repo,
  place.host,
  place.owner,
  place.name,
  number,
];

function isSame(pull: StoredPull, { repo, place, number }: OpenedPull): boolean {
  const { host, owner, name } = pull.place;
  return (
    pull.repo === repo && pull.number === number && host === place.host && owner === place.owner && name === place.name
  );
}
