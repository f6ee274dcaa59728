import { z } from 'zod';
import { RepoName, TimestampMs, WorkspaceName } from '../contract/ids.ts';
import { type OpenedPull, PullRequest, PullSight } from '../contract/pull-request.ts';
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
    answered_at_ms: TimestampMs,
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
    answeredAtMs: row.answered_at_ms,
  }));

/** A pull request as stored; its turn depends on the repos of the workspace. */
export type StoredPull = z.infer<typeof PullRow>;

const COLUMNS = `workspace, repo, host, owner, name, number, url, base, opened_at_ms, sight, looked_at_ms, fault,
  answered_at_ms`;
const KEY = 'workspace = ? AND repo = ? AND host = ? AND owner = ? AND name = ? AND number = ?';

/** Notes a pull request that was opened or brought up to date; what was seen of it before stays. */
export function recordOpenedPull(database: Database, workspace: string, opened: OpenedPull, atMs: number): void {
  const { repo, place, number, url, title, base, head, isDraft } = opened;
  const before = pullsOf(database, workspace).find((pull) => isSame(pull, opened));
  const fresh = { state: 'open' as const, mergeCommit: null, review: 'none' as const, checks: [], comments: [] };
  const sight = { ...(before?.sight ?? fresh), state: 'open', title, head, isDraft };
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

export function recordSight(database: Database, pull: StoredPull, sight: PullSight, atMs: number): void {
  database
    .prepare(`UPDATE pull_requests SET sight = ?, looked_at_ms = ?, fault = NULL WHERE ${KEY}`)
    .run(JSON.stringify(sight), atMs, ...keyOf(pull));
}

/** A look that failed; what was seen before stays. */
export function recordLookFault(
  database: Database,
  pull: StoredPull,
  fault: { readonly code: string; readonly message: string },
  atMs: number,
): void {
  database
    .prepare(`UPDATE pull_requests SET fault = ?, looked_at_ms = ? WHERE ${KEY}`)
    .run(JSON.stringify(fault), atMs, ...keyOf(pull));
}

/** Comments up to this time were given to a run. */
export function recordAnswered(database: Database, pull: StoredPull, atMs: number): void {
  database.prepare(`UPDATE pull_requests SET answered_at_ms = ? WHERE ${KEY}`).run(atMs, ...keyOf(pull));
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
