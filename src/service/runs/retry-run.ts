import { Fault } from '../../contract/faults.ts';
import type { RunId } from '../../contract/ids.ts';
import { isAncestor } from '../../git/history.ts';
import { refCommit } from '../../git/refs.ts';
import { isThere } from '../../platform/files.ts';
import { attemptsOfRun } from '../../store/attempts.ts';
import { runRepos, setRunHead } from '../../store/run-repos.ts';
import { reopenStep, runSteps, type StoredStep } from '../../store/run-steps.ts';
import { reopenRun, runOf, type StoredRun } from '../../store/runs.ts';
import { findWorkspace } from '../../store/workspaces.ts';
import { isPinned, renewRunFolder } from './clear-folders.ts';
import { changeRun, type Desk } from './desk-parts.ts';

/**
 * Queues a run that did not pass once more, from the step that stopped it or an earlier one. Its worktrees stay as they
 * are where possible; they are made afresh when the folder is gone or an earlier step is repeated. Faults: RUN_STATE,
 * STEP_NOT_FOUND.
 */
export async function retryRun(desk: Desk, id: RunId, from: string | undefined): Promise<void> {
  await desk.serially(id, async () => {
    const run = refuseOthers(desk, runOf(desk.database, id));
    const steps = runSteps(desk.database, id);
    const stopped = steps.findIndex((step) => step.state !== 'passed');
    if (stopped === -1) throw new Fault('RUN_STATE', `Every step of run ${run.number} has passed.`);
    const first = from === undefined ? stopped : firstStep(run, steps, from, stopped);
    if (isMergeStep(run, steps[first]!)) await refuseRewritten(desk, run);
    const isFresh =
      first < stopped ||
      first === 0 ||
      run.folder === null ||
      // A step that goes back to where it began would lose what could not be pinned.
      !isPinned(desk, id) ||
      !(await isThere(run.folder));
    if (isFresh) await renewRunFolder(desk, run);
    const heads = isFresh ? headsBefore(desk, run, steps.slice(0, first)) : new Map<string, string>();
    const state = run.startedAtMs === null ? 'gathering' : 'queued';
    changeRun(desk, run, state, () => {
      for (const step of steps.filter((each, index) => index >= first || (isFresh && each.kind === 'setup'))) {
        reopenStep(desk.database, id, step.name);
      }
      for (const [repo, head] of heads) setRunHead(desk.database, id, repo, head);
      reopenRun(desk.database, id, state);
    });
  });
  desk.watchGathering(id);
  desk.dispatch();
}

function refuseOthers(desk: Desk, run: StoredRun): StoredRun {
  switch (run.state) {
    case 'failed':
    case 'cancelled':
    case 'superseded':
    case 'rejected':
      break;
    case 'passed':
      throw new Fault('RUN_STATE', `Run ${run.number} of ${run.workspace} has passed.`, {
        hint: '`takt workspace trigger` starts a new one.',
      });
    case 'gathering':
    case 'queued':
    case 'running':
    case 'waiting':
      throw new Fault('RUN_STATE', `Run ${run.number} of ${run.workspace} is not over: it is ${run.state}.`);
  }
  if (findWorkspace(desk.database, run.workspace) === undefined) {
    throw new Fault('WORKSPACE_NOT_FOUND', `The workspace ${run.workspace} of this run is gone.`);
  }
  if (runRepos(desk.database, run.id).length === 0) {
    throw new Fault('RUN_STATE', `Run ${run.number} of ${run.workspace} ended before it had commits to work on.`);
  }
  return run;
}

const isMergeStep = ({ pipeline }: StoredRun, { name }: StoredStep): boolean =>
  pipeline.steps.some((step) => step.name === name && step.kind === 'script' && step.script === 'merge_upstream');

/** A merge of what the branch no longer holds would meet the same conflict, and could not land. */
async function refuseRewritten(desk: Desk, run: StoredRun): Promise<void> {
  for (const { repo, role, head, landed, start } of runRepos(desk.database, run.id)) {
    const folder = desk.layout.root(repo);
    const tip = role === 'edit' ? await refCommit(folder, `refs/heads/${run.workspace}`, desk) : null;
    if (tip === null || tip === (landed ?? start) || (await isAncestor(folder, head, tip, desk))) continue;
    throw new Fault('RUN_STATE', `The branch ${run.workspace} of ${repo} was written anew since run ${run.number}.`, {
      hint: `\`takt workspace trigger ${run.workspace}\` starts a run on what it holds now.`,
    });
  }
}

function firstStep(run: StoredRun, steps: readonly StoredStep[], from: string, stopped: number): number {
  const first = steps.findIndex((step) => step.name === from);
  if (first === -1) throw new Fault('STEP_NOT_FOUND', `Run ${run.number} of ${run.workspace} has no step ${from}.`);
  if (first > stopped) {
    throw new Fault('RUN_STATE', `The step ${from} comes after ${steps[stopped]?.name}, which has not passed.`);
  }
  return first;
}

/** What the repeated steps begin with: what the steps before them made, or what is on the branch already. */
function headsBefore(desk: Desk, run: StoredRun, before: readonly StoredStep[]): Map<string, string> {
  const attempts = attemptsOfRun(desk.database, run.id).filter(
    ({ step, state, isSalvage }) => state === 'passed' && !isSalvage && before.some(({ name }) => name === step),
  );
  return new Map(
    runRepos(desk.database, run.id).map(({ repo, start, landed }) => {
      const made = attempts.flatMap((attempt) => attempt.repos.find((outcome) => outcome.repo === repo)?.head ?? []);
      // A branch moves forward only: what a repeated step has landed, or a merge, stays.
      const isBeyond = landed !== null && !made.includes(landed);
      return [repo, isBeyond ? landed : (made.at(-1) ?? start)];
    }),
  );
}
