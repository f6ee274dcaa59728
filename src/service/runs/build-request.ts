import { join } from 'node:path';
import { ATTEMPT_PROTOCOL, type AttemptRepo, AttemptRequest, type AttemptWork } from '../../contract/attempt.ts';
import { Fault } from '../../contract/faults.ts';
import type { Step } from '../../contract/pipeline.ts';
import { stageResultPath } from '../../steps/run-folder.ts';
import { attemptsOfRun, newAttemptId, nextAttemptNumber } from '../../store/attempts.ts';
import { rootOf } from '../../store/roots.ts';
import { runRepos } from '../../store/run-repos.ts';
import { runSnapshot, type RunSnapshot, type StoredRun } from '../../store/runs.ts';
import { agentWork } from './agent-work.ts';
import { copySources } from './copy-sources.ts';
import type { Desk } from './desk-parts.ts';
import { operatorAuthor } from './operator-author.ts';
import { planPulls } from './plan-pulls.ts';
import { planPushes } from './plan-pushes.ts';
import { isAnswering } from './answering.ts';
import { portBase } from './port-slots.ts';

/** Ends well and does nothing: its host commits and pins what lies in the worktrees, which is all that is wanted. */
const SALVAGE_COMMAND = 'true';
const BYTES_PER_MB = 1024 * 1024;
const FEEDBACK_FILE = 'FEEDBACK.md';

export interface AttemptToBuild {
  readonly step: string;
  readonly isSalvage: boolean;
  readonly restore: boolean;
  readonly resumeSession: string | null;
  readonly sessionId: string | undefined;
}

/** Puts together all that a step host needs; it holds while the service is down. */
export async function buildRequest(desk: Desk, run: StoredRun, wanted: AttemptToBuild): Promise<AttemptRequest> {
  const snapshot = runSnapshot(desk.database, run.id);
  if (snapshot === undefined) throw new Fault('INTERNAL', `The run ${run.id} has no snapshot.`);
  const { settings } = snapshot;
  const step = run.pipeline.steps.find((each) => each.name === wanted.step);
  return AttemptRequest.parse({
    protocol: ATTEMPT_PROTOCOL,
    attempt: newAttemptId(),
    number: nextAttemptNumber(desk.database, run.id, wanted.step),
    run: run.id,
    runNumber: run.number,
    workspace: run.workspace,
    step: wanted.step,
    work: await workOf(desk, run, { snapshot, step, wanted }),
    repos: await Promise.all(runRepos(desk.database, run.id).map((repo) => attemptRepo(desk, run, snapshot, repo))),
    runFolder: desk.layout.runFolder(run.workspace, run.number),
    agentFolder: join(desk.layout.agentHomes, run.id),
    restore: wanted.restore,
    needsChange: step?.changes === true && !wanted.isSalvage,
    confinement: step?.confinement ?? settings.confinement,
    toolchains: settings.toolchains,
    guidance: [...desk.guidanceFor(run.workspace), ...feedbackFile(run)],
    environment: { TAKT_PORT_BASE: String(portBase(desk, run.id)) },
    author: await operatorAuthor(settings, desk),
    earlier: earlierResults(desk, run),
    timeoutMs: (step?.timeoutS ?? settings.step_timeout_s) * 1_000,
    silenceMs: settings.silence_timeout_s * 1_000,
    outputLimitBytes: settings.output_limit_mb * BYTES_PER_MB,
  });
}

async function workOf(
  desk: Desk,
  run: StoredRun,
  { snapshot, step, wanted }: { snapshot: RunSnapshot; step: Step | undefined; wanted: AttemptToBuild },
): Promise<AttemptWork> {
  if (wanted.isSalvage) return { kind: 'command', run: SALVAGE_COMMAND, shell: '/bin/sh' };
  if (step === undefined) return { kind: 'setup' };
  switch (step.kind) {
    case 'agent':
      return agentWork(desk, snapshot, step, wanted, isAnswering(run, step.name) ? FEEDBACK_FILE : null);
    case 'command':
      return { kind: 'command', run: step.run, shell: '/bin/sh' };
    case 'script':
      // A merge sends nothing, and is how a workspace that cannot be pushed yet gets on.
      if (step.script === 'merge_upstream') return { kind: 'script', script: step.script, pushes: [], pulls: [] };
      return {
        kind: 'script',
        script: step.script,
        pushes: await planPushes(desk, run, step.name),
        pulls: step.script === 'create_pr' ? await planPulls(desk, run, snapshot) : [],
      };
    case 'approve':
      throw new Fault('INTERNAL', `The step ${step.name} waits for a person and has no attempts.`);
  }
}

function feedbackFile({ feedback }: StoredRun): AttemptRequest['guidance'] {
  return feedback === null ? [] : [{ path: FEEDBACK_FILE, text: feedback.text }];
}

async function attemptRepo(
  desk: Desk,
  run: StoredRun,
  snapshot: RunSnapshot,
  repo: ReturnType<typeof runRepos>[number],
): Promise<AttemptRepo> {
  const root = rootOf(desk.database, repo.repo);
  const config = snapshot.repos.find((each) => each.name === repo.repo);
  return {
    name: repo.repo,
    role: repo.role,
    rootFolder: desk.layout.root(repo.repo),
    cloneFolder: desk.layout.clone(run.workspace, repo.repo),
    commit: repo.head,
    base: repo.start,
    defaultBranch: root.defaultBranch,
    upstream: root.upstream,
    pushUrl: root.pushUrl,
    dependsOn: config?.depends_on ?? [],
    setup: config?.setup ?? null,
    copy: await copySources(desk.layout, run.workspace, repo.repo, config?.copy ?? []),
    cache: config?.cache ?? [],
    cacheFolder: join(desk.layout.caches, run.workspace, repo.repo),
  };
}

/** The newest result of each step that said something about itself, in the order in which they ended. */
function earlierResults(desk: Desk, run: StoredRun): AttemptRequest['earlier'] {
  const said = attemptsOfRun(desk.database, run.id).filter((attempt) => attempt.result !== null);
  return said
    .filter((attempt, index) => !said.slice(index + 1).some((later) => later.step === attempt.step))
    .map(({ step, number, result }) => ({ step, path: stageResultPath(step, number), verdict: result!.verdict }));
}
