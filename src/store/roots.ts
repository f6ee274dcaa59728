import { z } from 'zod';
import { Fault } from '../contract/faults.ts';
import { RepoName } from '../contract/ids.ts';
import type { Database } from './database.ts';

const FetchFault = z.object({ code: z.string(), message: z.string() });

const RootRow = z
  .object({
    repo: RepoName,
    upstream: z.string(),
    push_url: z.string().nullable(),
    default_branch: z.string(),
    fetched_at_ms: z.number().nullable(),
    fetch_fault: z.string().nullable(),
  })
  .transform((row) => ({
    repo: row.repo,
    upstream: row.upstream,
    /** Where branches go: a fork, or else the upstream. */
    pushUrl: row.push_url ?? row.upstream,
    defaultBranch: row.default_branch,
    fetchedAtMs: row.fetched_at_ms,
    fetchFault: row.fetch_fault === null ? null : FetchFault.parse(JSON.parse(row.fetch_fault)),
  }));

/** A root repo as the store knows it; its folder is `layout.root(repo)`. */
export type Root = z.infer<typeof RootRow>;

const COLUMNS = 'repo, upstream, push_url, default_branch, fetched_at_ms, fetch_fault';

export function listRoots(database: Database): Root[] {
  return database
    .prepare(`SELECT ${COLUMNS} FROM roots ORDER BY repo`)
    .all()
    .map((row) => RootRow.parse(row));
}

export function findRoot(database: Database, repo: string): Root | undefined {
  const row = database.prepare(`SELECT ${COLUMNS} FROM roots WHERE repo = ?`).get(repo);
  return row === undefined ? undefined : RootRow.parse(row);
}

/** Like `findRoot`, with the fault REPO_NOT_FOUND where there is none. */
export function rootOf(database: Database, repo: string): Root {
  const root = findRoot(database, repo);
  if (root === undefined) throw new Fault('REPO_NOT_FOUND', `No root repo ${repo}.`);
  return root;
}

export function insertRoot(database: Database, root: { readonly repo: string } & RootAddresses): void {
  database
    .prepare('INSERT INTO roots (repo, upstream, push_url, default_branch) VALUES (?, ?, ?, ?)')
    .run(root.repo, root.upstream, forkOf(root), root.defaultBranch);
}

interface RootAddresses {
  readonly upstream: string;
  /** A fork, where branches are pushed to one. */
  readonly pushUrl?: string;
  readonly defaultBranch: string;
}

const forkOf = ({ upstream, pushUrl = upstream }: RootAddresses): string | null =>
  pushUrl === upstream ? null : pushUrl;

/** Notes when the last fetch ended, and why it failed if it did. A failed one keeps the time of the last good one. */
export function recordFetch(
  database: Database,
  repo: string,
  fetch: { readonly atMs: number; readonly fault: { readonly code: string; readonly message: string } | null },
): void {
  const fault = fetch.fault === null ? null : JSON.stringify({ code: fetch.fault.code, message: fetch.fault.message });
  database
    .prepare(
      'UPDATE roots SET fetched_at_ms = CASE WHEN ?1 IS NULL THEN ?2 ELSE fetched_at_ms END, fetch_fault = ?1 WHERE repo = ?3',
    )
    .run(fault, fetch.atMs, repo);
}

/** Follows a default branch or an address that was changed in the configuration. */
export function updateRoot(database: Database, repo: string, root: RootAddresses): void {
  database
    .prepare('UPDATE roots SET upstream = ?, push_url = ?, default_branch = ? WHERE repo = ?')
    .run(root.upstream, forkOf(root), root.defaultBranch, repo);
}

/** Forgets a root repo and all that was seen in it. */
export function deleteRoot(database: Database, repo: string): void {
  database.transaction(() => {
    database.prepare('DELETE FROM roots WHERE repo = ?').run(repo);
    database.prepare('DELETE FROM seen_refs WHERE repo = ?').run(repo);
    database.prepare('DELETE FROM upstream_heads WHERE repo = ?').run(repo);
  });
}
