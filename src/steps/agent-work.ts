import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { openAttemptFiles, hasSession } from '../agents/attempt-files.ts';
import { claudeExecutable } from '../agents/claude-executable.ts';
import { readCredential } from '../agents/model-access.ts';
import { openModelGate } from '../agents/model-gate.ts';
import { outputLines } from '../agents/output-lines.ts';
import { agentPrompt, resumePrompt, type PromptFacts } from '../agents/prompt.ts';
import { runSession, type SessionEnd, type SessionLife } from '../agents/session.ts';
import { placeholderVariable, type SessionPlan, type SessionStart } from '../agents/session-options.ts';
import { countUsage, type UsageCounter } from '../agents/session-usage.ts';
import type { Walls } from '../confinement/walls.ts';
import type { AttemptRequest, AttemptWork } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';
import type { AgentUsage, FailureReason } from '../contract/run.ts';
import { StageResult } from '../contract/stage-result.ts';
import { diffSummary } from '../git/history.ts';
import { pushOrder } from '../git/push-order.ts';
import { agentVerdict } from './agent-verdict.ts';
import { endProcesses, untilGone } from './end-processes.ts';
import type { OutputWriter } from './output-writer.ts';
import { workEnvironment } from './work-environment.ts';

export interface AgentWorkInput {
  readonly request: AttemptRequest;
  readonly walls: Walls;
  readonly output: OutputWriter;
  /** Ends the work; within 3 s nothing of it is alive. */
  readonly signal: AbortSignal;
  /** Called for each process of Claude Code; a second one is started if the first could not resume its session. */
  readonly onStarted: (pid: number) => void;
  /** The work is alive, also if it prints nothing. */
  readonly touch: () => void;
}

export interface AgentWorkResult {
  /** `ended`: by the signal; whoever aborted it knows why. */
  readonly state: 'passed' | 'failed' | 'unverified' | 'broken' | 'ended';
  readonly reason: FailureReason | null;
  readonly result: StageResult | null;
  readonly usage: AgentUsage | null;
  readonly exitCode: number | null;
}

type AgentWork = Extract<AttemptWork, { kind: 'agent' }>;

/**
 * Findings may be left out by the agent, as the schema has a default for them. Claude Code refuses schemas that name
 * their draft.
 */
const { $schema: _, ...RESULT_SCHEMA } = z.toJSONSchema(StageResult, { io: 'input' });

/**
 * Carries out an agent step: opens the gate to the model, runs Claude Code inside the walls, and tells its verdict.
 * Resolves when nothing of it is alive any more. What the agent left in the worktrees is the host's to collect.
 */
export async function runAgentWork(input: AgentWorkInput): Promise<AgentWorkResult> {
  const { request, output } = input;
  const { work } = request;
  if (work.kind !== 'agent') throw new Fault('INTERNAL', `The step ${request.step} is not an agent step.`);
  const executable = claudeExecutable();
  if (executable === undefined)
    return notStarted(
      'broken',
      'internal',
      'Claude Code is not installed beside takt; run `npm ci` in its folder, without `--omit=optional`.',
    );
  const found = readCredential(work.modelAccess, process.env);
  if ('missing' in found) return notStarted('failed', 'model_access', found.missing);

  const facts = await promptFacts(request, work, input.signal);
  await using gate = await openModelGate({
    access: work.modelAccess,
    environment: process.env,
    onNote: (text) => output.note(text),
  });
  await using files = await openAttemptFiles(
    { name: placeholderVariable(found.credential.kind), value: gate.placeholder },
    input.walls.user,
  );
  const isConfined = input.walls.used.filesystem === 'bubblewrap';
  const plan: Omit<SessionPlan, 'start' | 'prompt'> = {
    executable,
    model: work.model,
    maxTurns: work.maxTurns,
    resultSchema: RESULT_SCHEMA,
    runFolder: request.runFolder,
    agentFolder: request.agentFolder,
    trustedFolder: files.trustedFolder,
    isConfined,
    environment: {
      ...workEnvironment(request),
      ...directToLoopback({ ...process.env, ...request.environment }),
      ...(isConfined ? {} : { TMPDIR: files.temporaryFolder, CLAUDE_CODE_TMPDIR: files.temporaryFolder }),
    },
    modelUrl: gate.url,
    headers: { 'x-takt-workspace': request.workspace, 'x-takt-step': request.step, 'x-takt-attempt': request.attempt },
    silenceMs: request.silenceMs,
  };
  // Awaited here, as gate and files are given up at the end of this function.
  return await resumeOrBegin({ input, work, facts, plan, keyFile: files.keyFile });
}

interface Session {
  readonly input: AgentWorkInput;
  readonly work: AgentWork;
  readonly facts: PromptFacts;
  readonly plan: Omit<SessionPlan, 'start' | 'prompt'>;
  readonly keyFile: string;
}

async function resumeOrBegin(session: Session): Promise<AgentWorkResult> {
  const { input, work, plan } = session;
  const known = [work.resumeSession, work.sessionId].filter((id) => id !== null);
  for (const sessionId of known) {
    if (!(await hasSession(plan.agentFolder, sessionId))) continue;
    const resumed = await runOne(session, { kind: 'resume', sessionId });
    if (resumed.state !== 'broken' || resumed.isBegun || input.signal.aborted) return resumed.outcome;
    input.output.note(`Session ${sessionId} could not be resumed; the step begins anew.`);
    // Claude Code refuses a new session under an id that it has a file of.
    return (await runOne(session, { kind: 'new', sessionId: randomUUID() })).outcome;
  }
  return (await runOne(session, { kind: 'new', sessionId: work.sessionId })).outcome;
}

async function runOne(
  { input, work, facts, plan, keyFile }: Session,
  start: SessionStart,
): Promise<{ outcome: AgentWorkResult; state: AgentWorkResult['state']; isBegun: boolean }> {
  const counter = countUsage();
  const isResumed = start.kind === 'resume';
  const life: SessionLife = {
    wrap: (command, extra) => input.walls.wrap(command, extra),
    keyFile,
    endProcess: (pid, exited) => endProcesses(pid, input.request.attempt, exited),
    untilGone: () => untilGone(input.request.attempt, undefined),
    signal: input.signal,
    onStarted: input.onStarted,
    onMessage: (message) => {
      counter.see(message);
      // It only says that a call is still running, which is what the silence limit is about.
      if (message.type !== 'tool_progress') input.touch();
      for (const line of outputLines(message, Date.now())) input.output.write(line);
    },
  };
  const prompt = isResumed ? resumePrompt(facts) : agentPrompt(facts);
  const outcome = await runSession({ ...plan, start, prompt }, life).then(
    (end) => ({
      isBegun: end.isBegun,
      ...outcomeOf(end, counter, {
        isResumed,
        costBeforeUsd: work.costBeforeUsd ?? 0,
        isAborted: input.signal.aborted,
      }),
    }),
    (error: unknown) => {
      if (input.signal.aborted) return { isBegun: false, ...ended(null) };
      throw error;
    },
  );
  const { isBegun, ...rest } = outcome;
  return { outcome: rest, state: rest.state, isBegun };
}

function outcomeOf(
  end: SessionEnd,
  counter: UsageCounter,
  how: { isResumed: boolean; costBeforeUsd: number; isAborted: boolean },
): AgentWorkResult {
  const usage = counter.total({ result: end.result, ...how });
  if (how.isAborted) return ended(usage);
  return { ...agentVerdict(end), usage, exitCode: end.exitCode };
}

const ended = (usage: AgentUsage | null): AgentWorkResult => ({
  state: 'ended',
  reason: null,
  result: null,
  usage,
  exitCode: null,
});

function notStarted(state: 'broken' | 'failed', reason: FailureReason['class'], sentence: string): AgentWorkResult {
  return { state, reason: { class: reason, sentence }, result: null, usage: null, exitCode: null };
}

/** The gate is on this machine, where an operator's proxy does not lead. */
function directToLoopback(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const named = [environment['NO_PROXY'], environment['no_proxy'], '127.0.0.1', 'localhost'];
  const direct = named.filter((names) => names !== undefined && names !== '').join(',');
  return { NO_PROXY: direct, no_proxy: direct };
}

async function promptFacts(request: AttemptRequest, work: AgentWork, signal: AbortSignal): Promise<PromptFacts> {
  const order = pushOrder(request.repos);
  const repos = request.repos.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  const changed = repos.filter(({ base, commit }) => base !== commit);
  const diffs = await Promise.all(
    changed.map(
      async (repo) => [repo.name, await diffSummary(repo.rootFolder, repo.base, repo.commit, { signal })] as const,
    ),
  );
  const stepPrompt = work.step.kind === 'agent' ? work.step.prompt : undefined;
  return { request, rolePrompt: work.rolePrompt, stepPrompt, repos, diffs: new Map(diffs) };
}
