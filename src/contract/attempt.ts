import { z } from 'zod';
import { AttemptId, CommitId, RepoName, RunId, StepName, TimestampMs, WorkspaceName } from './ids.ts';
import { ConfinementMode, Step } from './pipeline.ts';
import { OpenedPull, PullToOpen } from './pull-request.ts';
import { AgentUsage, ConfinementUsed, FailureReason, RepoOutcome } from './run.ts';
import { StageResult } from './stage-result.ts';

/** The version of the files in a spool folder; a service refuses a host that speaks another. */
export const ATTEMPT_PROTOCOL = 1;

/** A repo as an attempt needs it. Paths are absolute. */
export const AttemptRepo = z.object({
  name: RepoName,
  role: z.enum(['edit', 'read']),
  rootFolder: z.string(),
  /** The workspace's clone, where a person works on it: for commands that are printed. */
  cloneFolder: z.string().optional(),
  /** Where a fresh worktree is checked out, and what a restore goes back to. */
  commit: CommitId,
  /** The run's start on this repo, for the diff that the agent is told of. */
  base: CommitId,
  /** Name of the default branch. */
  defaultBranch: z.string(),
  upstream: z.string(),
  /** Where the workspace's branch is pushed to: a fork, or else the upstream. */
  pushUrl: z.string(),
  dependsOn: z.array(RepoName),
  setup: z.string().nullable(),
  /** Files to bring into a fresh worktree: source outside, path within the repo. */
  copy: z.array(z.object({ from: z.string(), to: z.string() })),
  cache: z.array(z.string()),
  /** Folder that keeps this repo's caches for this workspace. */
  cacheFolder: z.string(),
});
export type AttemptRepo = z.infer<typeof AttemptRepo>;

/** `setup` prepares the worktrees; the others are the steps of a pipeline, `approve` excepted. */
export const AttemptWork = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('setup') }),
  z.object({
    kind: z.literal('agent'),
    step: Step,
    rolePrompt: z.string(),
    model: z.string(),
    /** A session to go on with, or null for a new one whose id is `sessionId`. */
    resumeSession: z.string().nullable(),
    sessionId: z.string(),
    maxTurns: z.number().int(),
    /** What the session to be resumed has cost so far; Claude Code goes on counting from there. */
    costBeforeUsd: z.number().nonnegative().optional(),
    /** Path within the run's folder of what reviewers and checks said, if the run answers that. */
    feedback: z.string().optional(),
    /** Where the reverse proxy sends requests; the key is read from the service's environment or the file, never stored here. */
    modelAccess: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('environment'), baseUrl: z.string() }),
      z.object({ kind: z.literal('keyFile'), baseUrl: z.string(), file: z.string() }),
      /** The user's own login, in this Claude Code configuration folder. */
      z.object({ kind: z.literal('login'), baseUrl: z.string(), configFolder: z.string() }),
    ]),
  }),
  z.object({ kind: z.literal('command'), run: z.string(), shell: z.string().default('/bin/sh') }),
  z.object({
    kind: z.literal('script'),
    script: z.enum(['push_to_github', 'create_pr', 'merge_upstream']),
    /** Per edit repo with commits to send: what goes out, and what upstream's branch is expected to be (null: absent). */
    pushes: z.array(z.object({ repo: RepoName, commit: CommitId, expected: CommitId.nullable() })),
    /** Per changed edit repo, of `create_pr`. */
    pulls: z.array(PullToOpen).default([]),
  }),
]);
export type AttemptWork = z.infer<typeof AttemptWork>;

/** `request.json`: all that a step host needs; it holds while the service is down. */
export const AttemptRequest = z.object({
  protocol: z.literal(ATTEMPT_PROTOCOL),
  attempt: AttemptId,
  number: z.number().int(),
  run: RunId,
  runNumber: z.number().int(),
  workspace: WorkspaceName,
  step: StepName,
  work: AttemptWork,
  repos: z.array(AttemptRepo),
  /** The run's folder; repos lie side by side below it. */
  runFolder: z.string(),
  /** Writable home of the work (HOME, CLAUDE_CONFIG_DIR), kept for the run so that sessions resume. */
  agentFolder: z.string(),
  /** True if the worktrees go back to `commit` before the work begins. */
  restore: z.boolean(),
  /** `changes: true` of the step. */
  needsChange: z.boolean(),
  confinement: ConfinementMode,
  /** Extra folders that work may read, such as toolchains. */
  toolchains: z.array(z.string()),
  /** Files and folders written into the run's folder before the work: CLAUDE.md and the like. */
  guidance: z.array(z.object({ path: z.string(), text: z.string() })),
  environment: z.record(z.string(), z.string()),
  author: z.object({ name: z.string(), email: z.string() }),
  /** Stage results so far, newest last; paths are within the run's folder. */
  earlier: z.array(z.object({ step: z.string(), path: z.string(), verdict: z.string() })),
  timeoutMs: z.number().int(),
  /** Ended when nothing was printed for so long. */
  silenceMs: z.number().int(),
  outputLimitBytes: z.number().int(),
});
export type AttemptRequest = z.infer<typeof AttemptRequest>;

/** `host.json`, written whole and then linked to `taken`: which process carries the attempt. */
export const AttemptHost = z.object({
  protocol: z.number().int(),
  pid: z.number().int(),
  /** Field 22 of /proc/PID/stat: clock ticks since boot. */
  startTicks: z.number().int(),
  bootId: z.string(),
  startedAtMs: TimestampMs,
});
export type AttemptHost = z.infer<typeof AttemptHost>;

/** `work.json`, written when the work's process has started: what has to be dead before the attempt is repeated. */
export const AttemptWorkProcess = z.object({ pid: z.number().int(), startTicks: z.number().int() });
export type AttemptWorkProcess = z.infer<typeof AttemptWorkProcess>;

/** `cancel.json`: the message that ends an attempt. */
export const AttemptCancel = z.object({ reason: z.enum(['cancelled', 'superseded']) });
export type AttemptCancel = z.infer<typeof AttemptCancel>;

/** `outcome.json`: how it ended. The output is complete at `outputBytes`. */
export const AttemptOutcome = z.object({
  protocol: z.literal(ATTEMPT_PROTOCOL),
  state: z.enum(['passed', 'failed', 'unverified', 'timed_out', 'silent', 'cancelled', 'superseded', 'broken']),
  reason: FailureReason.nullable(),
  exitCode: z.number().int().nullable(),
  result: StageResult.nullable(),
  usage: AgentUsage.nullable(),
  confinement: ConfinementUsed.nullable(),
  repos: z.array(RepoOutcome),
  /** Of a push: what upstream has now. */
  pushed: z.array(z.object({ repo: RepoName, commit: CommitId })),
  /** Pull requests that were opened or brought up to date; also of a step that failed half-way. */
  pulls: z.array(OpenedPull).default([]),
  outputBytes: z.number().int(),
  endedAtMs: TimestampMs,
});
export type AttemptOutcome = z.infer<typeof AttemptOutcome>;

/** Where an attempt's commits are pinned in a root repo; `head` and `leftover` lie below. */
export const attemptRefs = (run: string, attempt: string): string => `refs/takt/runs/${run}/${attempt}`;
/** Where an attempt that merges upstream's default branch keeps what it fetched of it. */
export const upstreamRef = (run: string, attempt: string): string => `${attemptRefs(run, attempt)}/upstream`;
/** Where the commits of the branches are pinned that a retried run went on from. */
export const runTakenUpRef = (run: string): string => `refs/takt/runs/${run}/taken-up`;
/** Where the commits that a run began with are pinned. */
export const runStartRef = (run: string): string => `refs/takt/runs/${run}/start`;
