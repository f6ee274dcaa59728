import { z } from 'zod';
import { AttemptId, CommitId, RepoName, RunId, StepName, TimestampMs, WorkspaceName } from './ids.ts';
import { Pipeline } from './pipeline.ts';
import { StageResult } from './stage-result.ts';

/**
 * `gathering`: collects pushes to several repos. `waiting`: for an approval; holds no slot.
 * The last five are final; `takt run retry` makes a failed or cancelled one run again.
 */
export const RunState = z.enum([
  'gathering',
  'queued',
  'running',
  'waiting',
  'passed',
  'failed',
  'cancelled',
  'superseded',
  'rejected',
]);
export type RunState = z.infer<typeof RunState>;

export const AttemptState = z.enum([
  'starting',
  'running',
  'passed',
  'failed',
  /** No stage result, or none of the commits that `changes: true` demands. */
  'unverified',
  'timed_out',
  /** Ended by the silence watchdog. */
  'silent',
  'cancelled',
  'superseded',
  /** Its host vanished without an outcome; the step is tried again. */
  'interrupted',
  /** The step host itself could not do its work. */
  'broken',
]);
export type AttemptState = z.infer<typeof AttemptState>;

/** `setup` is the visible step 0 that takt adds. */
export const StepKind = z.enum(['setup', 'agent', 'command', 'script', 'approve']);
export type StepKind = z.infer<typeof StepKind>;

/** How the work of an attempt was walled in. */
export const ConfinementUsed = z.object({
  /** `none`: the rules were a guard rail only. */
  filesystem: z.enum(['bubblewrap', 'none']),
  network: z.enum(['open', 'allow-list']),
  user: z.enum(['dropped', 'own']),
});
export type ConfinementUsed = z.infer<typeof ConfinementUsed>;

/** What a Claude Code session used; money in US dollars. */
export const AgentUsage = z.object({
  sessionId: z.string().nullable(),
  /** The model that answered. */
  model: z.string().nullable(),
  turns: z.number().int(),
  inputTokens: z.number().int(),
  outputTokens: z.number().int(),
  cacheReadTokens: z.number().int(),
  cacheWriteTokens: z.number().int(),
  costUsd: z.number(),
});
export type AgentUsage = z.infer<typeof AgentUsage>;

/** Why an attempt did not pass. `class` is for machines, the sentence for people. */
export const FailureReason = z.object({
  class: z.enum([
    'exit_code',
    'verdict',
    'no_result',
    'no_change',
    'timeout',
    'silence',
    'cancelled',
    'superseded',
    'rejected',
    'output_limit',
    'model_access',
    'model_error',
    'turn_limit',
    'git',
    'setup',
    'conflict',
    'upstream',
    'config',
    'host_gone',
    'confinement',
    'disk',
    'internal',
  ]),
  sentence: z.string(),
});
export type FailureReason = z.infer<typeof FailureReason>;

/** What an attempt left in one repo. `head` is null if it made no commit, `leftover` if nothing was uncommitted. */
export const RepoOutcome = z.object({
  repo: RepoName,
  start: CommitId,
  head: CommitId.nullable(),
  leftover: CommitId.nullable(),
  /** There if `leftover` joins other branches, stashes and the like: the commit of what was uncommitted, if any was. */
  joined: z.object({ uncommitted: CommitId.nullable() }).optional(),
  /** True if something is in the run's folder only, as commits cannot hold it: a repository within the worktree. */
  leftInFolder: z.boolean().optional(),
});
export type RepoOutcome = z.infer<typeof RepoOutcome>;

export const Attempt = z.object({
  id: AttemptId,
  step: StepName,
  number: z.number().int(),
  state: AttemptState,
  reason: FailureReason.nullable(),
  startedAtMs: TimestampMs,
  endedAtMs: TimestampMs.nullable(),
  exitCode: z.number().int().nullable(),
  result: StageResult.nullable(),
  usage: AgentUsage.nullable(),
  confinement: ConfinementUsed.nullable(),
  outputBytes: z.number().int(),
  repos: z.array(RepoOutcome),
  /** Ends with the shell command that opens the agent's session by hand; null where there is none. */
  resumeCommand: z.string().nullable(),
  /** Did no work of the step: takt's own attempt to pin what one whose host vanished had left. */
  isSalvage: z.boolean().optional(),
});
export type Attempt = z.infer<typeof Attempt>;

export const RunStep = z.object({
  name: StepName,
  kind: StepKind,
  /** Role and model, the command, or the script's name: what the list shows. */
  title: z.string(),
  state: z.enum(['waiting', 'running', 'passed', 'failed', 'skipped', 'asking']),
  attempts: z.array(Attempt),
});
export type RunStep = z.infer<typeof RunStep>;

export const RunRepo = z.object({
  repo: RepoName,
  role: z.enum(['edit', 'read']),
  /** The commit that the run began with. */
  start: CommitId,
  /** The newest commit of the run's work; equal to `start` while there is none. */
  head: CommitId,
  /** How much of it is on the workspace branch of the root repo. */
  landed: CommitId.nullable(),
  /**
   * Why takt did not land `head`: somebody pushed meanwhile, the branch is gone, or the run left out commits that it
   * began with. `pushed-by-hand`: the branch holds it by now.
   */
  notLanded: z.enum(['pushed-over', 'branch-deleted', 'rewritten', 'pushed-by-hand']).optional(),
});
export type RunRepo = z.infer<typeof RunRepo>;

export const RunSummary = z.object({
  id: RunId,
  workspace: WorkspaceName,
  number: z.number().int(),
  state: RunState,
  trigger: z.enum(['push', 'manual', 'retry']),
  queuedAtMs: TimestampMs,
  startedAtMs: TimestampMs.nullable(),
  endedAtMs: TimestampMs.nullable(),
  currentStep: z.string().nullable(),
  reason: FailureReason.nullable(),
  costUsd: z.number(),
});
export type RunSummary = z.infer<typeof RunSummary>;

export const Run = RunSummary.extend({
  repos: z.array(RunRepo),
  steps: z.array(RunStep),
  pipeline: Pipeline,
  note: z.string().nullable(),
  /** The run's folder, null once it was cleared away. */
  folder: z.string().nullable(),
  /** `none`: made no commit. `part`: not in all repos, or in none; see `notLanded`. */
  landing: z.enum(['none', 'whole', 'part']),
  /** The last lines of the attempt that ended it, oldest first. */
  lastLines: z.array(z.string()),
  /** Refs in the root repos that hold work which is not on the branch. */
  pins: z.array(
    z.object({
      repo: RepoName,
      ref: z.string(),
      commit: CommitId,
      what: z.enum(['head', 'leftover', 'others']),
      step: z.string(),
      /** Shell command that shows it, from any folder. */
      look: z.string().optional(),
      /** Shell command that brings it into the workspace's clone; missing where there is none. */
      take: z.string().optional(),
    }),
  ),
  supersededBy: z.number().int().nullable(),
  /** A sentence about what outside of the run keeps it from going on or from ending now; missing if nothing does. */
  heldUp: z.string().optional(),
});
export type Run = z.infer<typeof Run>;
