import { Fault } from '../../contract/faults.ts';
import type { RunId } from '../../contract/ids.ts';
import { insertApproval } from '../../store/approvals.ts';
import { runRepos } from '../../store/run-repos.ts';
import { runSteps, setStepState } from '../../store/run-steps.ts';
import { runOf, setRunState, type StoredRun } from '../../store/runs.ts';
import { changeRun, type Desk, stepEvent } from './desk-parts.ts';
import { endRun } from './end-run.ts';

/** Lets a waiting run go on. Faults: RUN_STATE, COMMITS_CHANGED if other commits were looked at than it holds. */
export function approveRun(
  desk: Desk,
  id: RunId,
  given: { readonly commits?: Readonly<Record<string, string>> | undefined; readonly note?: string | undefined },
): void {
  const run = runOf(desk.database, id);
  const step = askingStep(desk, run);
  const commits = shownCommits(desk, id);
  for (const [repo, commit] of Object.entries(given.commits ?? {})) {
    if (commits[repo] === commit) continue;
    throw new Fault('COMMITS_CHANGED', `Run ${run.number} of ${run.workspace} holds another commit of ${repo}.`);
  }
  changeRun(desk, run, 'queued', (atMs) => {
    const approval = { step, decision: 'approved' as const, note: given.note ?? null, commits, decidedAtMs: atMs };
    insertApproval(desk.database, id, approval);
    setStepState(desk.database, id, step, 'passed');
    stepEvent(desk, run, step, 'passed', atMs);
    setRunState(desk.database, id, 'queued');
  });
  desk.dispatch();
}

/** Ends a waiting run. Fault: RUN_STATE. */
export function rejectRun(desk: Desk, id: RunId, note: string | undefined): void {
  const run = runOf(desk.database, id);
  const step = askingStep(desk, run);
  desk.database.transaction(() => {
    insertApproval(desk.database, id, {
      step,
      decision: 'rejected',
      note: note ?? null,
      commits: shownCommits(desk, id),
      decidedAtMs: Date.now(),
    });
    const sentence = note === undefined ? `It was rejected in ${step}.` : `It was rejected in ${step}: ${note}`;
    endRun(desk, run, { state: 'rejected', step, reason: { class: 'rejected', sentence } });
  });
}

function askingStep(desk: Desk, run: StoredRun): StoredStepName {
  const step = runSteps(desk.database, run.id).find((each) => each.state === 'asking');
  if (run.state === 'waiting' && step !== undefined) return step.name;
  throw new Fault('RUN_STATE', `Run ${run.number} of ${run.workspace} waits for nobody: it is ${run.state}.`);
}

type StoredStepName = ReturnType<typeof runSteps>[number]['name'];

function shownCommits(desk: Desk, id: RunId): Record<string, ReturnType<typeof runRepos>[number]['head']> {
  const edited = runRepos(desk.database, id).filter((repo) => repo.role === 'edit');
  return Object.fromEntries(edited.map((repo) => [repo.repo, repo.head]));
}
