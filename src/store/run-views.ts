import { join } from 'node:path';
import { z } from 'zod';
import { attemptRefs } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';
import { RunId } from '../contract/ids.ts';
import {
  type Attempt,
  FailureReason,
  type RepoOutcome,
  Run,
  type RunRepo,
  type RunState,
  RunSummary,
} from '../contract/run.ts';
import { attemptsOfRun, type StoredAttempt } from './attempts.ts';
import type { Database } from './database.ts';
import { type Landing, landingsOfRun } from './landings.ts';
import { lastLines } from './last-lines.ts';
import { runRepos } from './run-repos.ts';
import { runSteps } from './run-steps.ts';
import { runOf, type StoredRun } from './runs.ts';

const LAST_LINES = 20;

const SummaryRow = z
  .object({
    id: RunId,
    workspace: RunSummary.shape.workspace,
    number: z.number(),
    state: RunSummary.shape.state,
    trigger: RunSummary.shape.trigger,
    queued_at_ms: z.number(),
    started_at_ms: z.number().nullable(),
    ended_at_ms: z.number().nullable(),
    current_step: z.string().nullable(),
    reason: z.string().nullable(),
    cost_usd: z.number(),
  })
  .transform((row): RunSummary => ({
    id: row.id,
    workspace: row.workspace,
    number: row.number,
    state: row.state,
    trigger: row.trigger,
    queuedAtMs: row.queued_at_ms,
    startedAtMs: row.started_at_ms,
    endedAtMs: row.ended_at_ms,
    currentStep: row.current_step,
    reason: row.reason === null ? null : FailureReason.parse(JSON.parse(row.reason)),
    costUsd: row.cost_usd,
  }));

const SUMMARY = `SELECT id, workspace, number, state, trigger, queued_at_ms, started_at_ms, ended_at_ms, reason,
    (SELECT name FROM run_steps WHERE run = runs.id AND state IN ('running', 'asking', 'failed') ORDER BY position LIMIT 1)
      AS current_step,
    (SELECT coalesce(sum(json_extract(usage, '$.costUsd')), 0.0) FROM attempts WHERE run = runs.id) AS cost_usd
  FROM runs`;

export interface RunFilter {
  readonly workspace?: string | undefined;
  readonly state?: RunState | undefined;
  readonly limit: number;
  /** Only runs older than the one with this id. */
  readonly before?: string | undefined;
}

/** Runs, newest first. */
export function listRuns(database: Database, filter: RunFilter): RunSummary[] {
  return database
    .prepare(
      `${SUMMARY} WHERE (?1 IS NULL OR workspace = ?1) AND (?2 IS NULL OR state = ?2)
          AND (?3 IS NULL OR (queued_at_ms, rowid) < (SELECT queued_at_ms, rowid FROM runs WHERE id = ?3))
        ORDER BY queued_at_ms DESC, rowid DESC LIMIT ?4`,
    )
    .all(filter.workspace ?? null, filter.state ?? null, filter.before ?? null, filter.limit)
    .map((row) => SummaryRow.parse(row));
}

/**
 * The run that a user means: its id, `<workspace>/<number>`, a workspace's name for its newest run, or
 * `<workspace>-<number>`. A name that is a workspace wins over one that only looks like the last form.
 */
export function resolveRun(database: Database, reference: string): RunId {
  const found =
    RunId.safeParse(reference).data ??
    numbered(database, /^(.+)\/(\d{1,9})$/.exec(reference)) ??
    newest(database, reference) ??
    numbered(database, /^(.+)-(\d{1,9})$/.exec(reference));
  if (found === undefined) throw new Fault('RUN_NOT_FOUND', `No run ${reference}.`);
  return runOf(database, found).id;
}

/** A run with everything that its page shows. */
export function runView(database: Database, id: string): Run {
  const stored = runOf(database, id);
  const summary = SummaryRow.parse(database.prepare(`${SUMMARY} WHERE id = ?`).get(id));
  const attempts = attemptsOfRun(database, id);
  const landings = landingsOfRun(database, id);
  const repos = runRepos(database, id);
  return Run.parse({
    ...summary,
    repos,
    steps: runSteps(database, id).map((step) => ({
      name: step.name,
      kind: step.kind,
      title: step.title,
      state: step.state,
      attempts: attempts.filter((attempt) => attempt.step === step.name).map((each) => attemptView(stored, each)),
    })),
    pipeline: stored.pipeline,
    note: stored.note,
    folder: stored.folder,
    landing: landingOf(repos),
    lastLines: endingLines(database, attempts),
    pins: pinsOf(attempts, landings, repos),
    supersededBy: stored.supersededBy,
  });
}

function numbered(database: Database, match: RegExpExecArray | null): RunId | undefined {
  if (match === null) return undefined;
  const row = database
    .prepare('SELECT id FROM runs WHERE workspace = ? AND number = ?')
    .get(match[1] ?? '', Number(match[2]));
  return row === undefined ? undefined : RunId.parse(row['id']);
}

function newest(database: Database, workspace: string): RunId | undefined {
  const row = database.prepare('SELECT id FROM runs WHERE workspace = ? ORDER BY number DESC LIMIT 1').get(workspace);
  return row === undefined ? undefined : RunId.parse(row['id']);
}

function attemptView(run: StoredRun, attempt: StoredAttempt): Attempt {
  const { id, step, number, state, reason, startedAtMs, endedAtMs, exitCode, result, usage, confinement } = attempt;
  return {
    id,
    step,
    number,
    state,
    reason,
    startedAtMs,
    endedAtMs,
    exitCode,
    result,
    usage,
    confinement,
    outputBytes: attempt.outputBytes,
    repos: attempt.repos,
    resumeCommand: resumeCommand(run, attempt),
    ...(attempt.isSalvage ? { isSalvage: true } : {}),
  };
}

/** Where the session can be opened by hand: only while the run's folder is there. */
function resumeCommand(run: StoredRun, attempt: StoredAttempt): string | null {
  if (attempt.sessionId === null || attempt.agentFolder === null || run.folder === null) return null;
  const config = quoted(join(attempt.agentFolder, '.claude'));
  return `cd ${quoted(run.folder)} && CLAUDE_CONFIG_DIR=${config} claude --resume ${attempt.sessionId}`;
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

function landingOf(repos: readonly RunRepo[]): Run['landing'] {
  const changed = repos.filter((repo) => repo.head !== repo.start);
  if (changed.length === 0) return 'none';
  return changed.every((repo) => repo.landed === repo.head) ? 'whole' : 'part';
}

function endingLines(database: Database, attempts: readonly StoredAttempt[]): string[] {
  const last = attempts.at(-1);
  return last === undefined ? [] : lastLines(database, last.id, LAST_LINES);
}

/** Of attempts before joins were told of, one that passed has all that was uncommitted in its head. */
const leftoverKind = ({ state }: StoredAttempt, { joined }: RepoOutcome): 'others' | 'leftover' =>
  joined !== undefined || state === 'passed' ? 'others' : 'leftover';

/** Heads that are on the branch are no pins, nor are those that a later attempt holds as its own. */
function pinsOf(
  attempts: readonly StoredAttempt[],
  landings: readonly Landing[],
  repos: readonly RunRepo[],
): Run['pins'] {
  const isLanded = (repo: string, commit: string): boolean =>
    landings.some((landing) => landing.repo === repo && landing.new === commit && landing.state === 'landed') ||
    repos.some((each) => each.repo === repo && (each.landed === commit || each.start === commit));
  return attempts.flatMap((attempt) =>
    attempt.repos.flatMap((outcome): Run['pins'] => {
      const ref = attemptRefs(attempt.run, attempt.id);
      const pin = { repo: outcome.repo, step: attempt.step };
      const { head, leftover, joined } = outcome;
      const uncommitted = joined?.uncommitted ?? null;
      return [
        ...(head === null || isLanded(outcome.repo, head)
          ? []
          : [{ ...pin, ref: `${ref}/head`, commit: head, what: 'head' as const }]),
        ...(uncommitted === null
          ? []
          : [{ ...pin, ref: `${ref}/leftover^1`, commit: uncommitted, what: 'leftover' as const }]),
        ...(leftover === null
          ? []
          : [{ ...pin, ref: `${ref}/leftover`, commit: leftover, what: leftoverKind(attempt, outcome) }]),
      ];
    }),
  );
}
