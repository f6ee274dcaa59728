import { z } from 'zod';
import { Fault } from '../contract/faults.ts';
import { RepoName, WorkspaceName } from '../contract/ids.ts';
import { Pipeline } from '../contract/pipeline.ts';
import { RepoRole, type WorkspaceSummary } from '../contract/workspace.ts';
import type { Database } from './database.ts';

const WorkspaceRow = z.object({
  name: WorkspaceName,
  base: z.string(),
  created_at_ms: z.number(),
  pipeline: z.string().nullable(),
  task: z.string().nullable(),
});
const RepoRow = z.object({ workspace: WorkspaceName, name: RepoName, role: RepoRole });
const LatestRunRow = z.object({ workspace: WorkspaceName, id: z.string(), number: z.number(), state: z.string() });

/** A workspace as the store knows it; its folder is `layout.workspace(name)`. */
export interface StoredWorkspace extends Omit<WorkspaceSummary, 'folder' | 'pulls'> {
  readonly base: string;
  readonly pipeline: Pipeline | null;
}

/** Inserts a workspace and its repos, in the order given. WORKSPACE_EXISTS is for the caller to find out before. */
export function insertWorkspace(
  database: Database,
  workspace: {
    readonly name: string;
    readonly base: string;
    readonly createdAtMs: number;
    readonly task?: string | null;
    readonly repos: readonly { readonly repo: string; readonly role: RepoRole }[];
  },
): void {
  database.transaction(() => {
    database
      .prepare('INSERT INTO workspaces (name, base, created_at_ms, task) VALUES (?, ?, ?, ?)')
      .run(workspace.name, workspace.base, workspace.createdAtMs, workspace.task ?? null);
    for (const { repo, role } of workspace.repos) addWorkspaceRepo(database, workspace.name, repo, role);
  });
}

/** All workspaces by name, each with its repos and its latest run. */
export function listWorkspaces(database: Database): StoredWorkspace[] {
  return completed(
    database,
    database.prepare('SELECT name, base, created_at_ms, pipeline, task FROM workspaces ORDER BY name').all(),
  );
}

export function findWorkspace(database: Database, name: string): StoredWorkspace | undefined {
  const row = database
    .prepare('SELECT name, base, created_at_ms, pipeline, task FROM workspaces WHERE name = ?')
    .get(name);
  return row === undefined ? undefined : completed(database, [row])[0];
}

/** Like `findWorkspace`, with the fault WORKSPACE_NOT_FOUND where there is none. */
export function workspaceOf(database: Database, name: string): StoredWorkspace {
  const workspace = findWorkspace(database, name);
  if (workspace === undefined) throw new Fault('WORKSPACE_NOT_FOUND', `No workspace ${name}.`);
  return workspace;
}

/** The workspaces that have a repo, by name. */
export function workspacesOfRepo(database: Database, repo: string): WorkspaceName[] {
  return database
    .prepare('SELECT workspace FROM workspace_repos WHERE repo = ? ORDER BY workspace')
    .all(repo)
    .map((row) => WorkspaceName.parse(row['workspace']));
}

/** What a workspace does in a repo; undefined if it does not have it. */
export function roleIn(database: Database, workspace: string, repo: string): RepoRole | undefined {
  const row = database
    .prepare('SELECT role FROM workspace_repos WHERE workspace = ? AND repo = ?')
    .get(workspace, repo);
  return row === undefined ? undefined : RepoRole.parse(row['role']);
}

export function addWorkspaceRepo(database: Database, workspace: string, repo: string, role: RepoRole): void {
  database
    .prepare(
      `INSERT INTO workspace_repos (workspace, repo, role, position)
        VALUES (?1, ?2, ?3, (SELECT coalesce(max(position) + 1, 0) FROM workspace_repos WHERE workspace = ?1))`,
    )
    .run(workspace, repo, role);
}

export function removeWorkspaceRepo(database: Database, workspace: string, repo: string): void {
  database.prepare('DELETE FROM workspace_repos WHERE workspace = ? AND repo = ?').run(workspace, repo);
}

/** Forgets a workspace; its runs stay as history. */
export function deleteWorkspace(database: Database, name: string): void {
  database.prepare('DELETE FROM workspaces WHERE name = ?').run(name);
}

export function setPipeline(database: Database, name: string, pipeline: Pipeline | null): void {
  const text = pipeline === null ? null : JSON.stringify(pipeline);
  database.prepare('UPDATE workspaces SET pipeline = ? WHERE name = ?').run(text, name);
}

/** Says what a workspace is for; null takes it away. */
export function setTask(database: Database, name: string, task: string | null): void {
  database.prepare('UPDATE workspaces SET task = ? WHERE name = ?').run(task, name);
}

/** Notes the SHA-256 of the page that was written on top of a workspace. */
export function setGuidanceDigest(database: Database, name: string, sha256: string): void {
  database.prepare('UPDATE workspaces SET guidance_sha256 = ? WHERE name = ?').run(sha256, name);
}

/** The SHA-256 of the page that was written last; null if it was not noted. */
export function guidanceDigest(database: Database, name: string): string | null {
  const row = database.prepare('SELECT guidance_sha256 FROM workspaces WHERE name = ?').get(name);
  return typeof row?.['guidance_sha256'] === 'string' ? row['guidance_sha256'] : null;
}

/** The workspace's pipeline; null if none is set, or there is no such workspace. */
export function pipelineOf(database: Database, name: string): Pipeline | null {
  const row = database.prepare('SELECT pipeline FROM workspaces WHERE name = ?').get(name);
  return typeof row?.['pipeline'] === 'string' ? Pipeline.parse(JSON.parse(row['pipeline'])) : null;
}

function completed(database: Database, rows: unknown[]): StoredWorkspace[] {
  const repos = database
    .prepare('SELECT workspace, repo AS name, role FROM workspace_repos ORDER BY position')
    .all()
    .map((row) => RepoRow.parse(row));
  return rows.map((row) => {
    const workspace = WorkspaceRow.parse(row);
    const pipeline = workspace.pipeline === null ? null : Pipeline.parse(JSON.parse(workspace.pipeline));
    return {
      name: workspace.name,
      base: workspace.base,
      createdAtMs: workspace.created_at_ms,
      task: workspace.task,
      repos: repos.filter((repo) => repo.workspace === workspace.name).map(({ name, role }) => ({ name, role })),
      steps: (pipeline?.steps ?? []).map((step) => step.name),
      pipeline,
      latestRun: latestRun(database, workspace.name),
    };
  });
}

function latestRun(database: Database, workspace: string): StoredWorkspace['latestRun'] {
  const row = database
    .prepare('SELECT workspace, id, number, state FROM runs WHERE workspace = ? ORDER BY number DESC LIMIT 1')
    .get(workspace);
  if (row === undefined) return null;
  const { id, number, state } = LatestRunRow.parse(row);
  return { id, number, state };
}
