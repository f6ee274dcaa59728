import { Fault } from '../../../contract/faults.ts';
import type { CommitId, RepoName, RunId, StepName } from '../../../contract/ids.ts';
import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import type { runDiff } from '../../../contract/operations/run.ts';
import { diffCommits } from '../../../git/history.ts';
import { attemptsOfRun, type StoredAttempt } from '../../../store/attempts.ts';
import { runRepos } from '../../../store/run-repos.ts';
import { runSteps } from '../../../store/run-steps.ts';
import { resolveRun } from '../../../store/run-views.ts';
import { runOf } from '../../../store/runs.ts';
import type { RunDeps } from './run-deps.ts';

const PATCH_LIMIT_BYTES = 2 * 1024 * 1024;

interface Range {
  readonly repo: RepoName;
  readonly from: CommitId;
  readonly to: CommitId;
  /** The step that did not pass, if this is its pinned work. */
  readonly pinnedOf?: StepName;
}

/**
 * What a run changed, or one of its steps in its newest attempt, with what it left uncommitted. Each patch has 2 MiB at
 * most. Faults: RUN_NOT_FOUND, STEP_NOT_FOUND, REPO_NOT_FOUND.
 */
export async function diffRun(
  deps: Pick<RunDeps, 'database' | 'layout'>,
  params: ParamsOf<typeof runDiff>,
  signal: AbortSignal,
): Promise<ReplyOf<typeof runDiff>> {
  const id = resolveRun(deps.database, params.run);
  const ranges = params.step === undefined ? rangesOfRun(deps, id) : rangesOfStep(deps, id, params.step);
  const wanted = ranges.filter((range) => params.repo === undefined || range.repo === params.repo);
  if (params.repo !== undefined && !runRepos(deps.database, id).some((repo) => repo.repo === params.repo)) {
    throw new Fault('REPO_NOT_FOUND', `The run has no repo ${params.repo}.`);
  }
  const repos = await Promise.all(
    wanted.map(async ({ repo, from, to, pinnedOf }) => {
      const diff = await diffCommits(deps.layout.root(repo), from, to, { signal, limitBytes: PATCH_LIMIT_BYTES });
      return { repo, from, to, ...diff, ...(pinnedOf === undefined ? {} : { pinnedOf }) };
    }),
  );
  return { repos };
}

function rangesOfRun({ database }: Pick<RunDeps, 'database'>, id: RunId): Range[] {
  const open = openAttempts(database, id);
  return runRepos(database, id)
    .filter(({ role }) => role === 'edit')
    .flatMap(({ repo, start, head }): Range[] => {
      const last = open.findLast((attempt) => pinnedWork(attempt, repo) !== null);
      const pinned = last === undefined ? null : pinnedWork(last, repo);
      if (last !== undefined && pinned !== null) return [{ repo, from: start, to: pinned, pinnedOf: last.step }];
      return start === head ? [] : [{ repo, from: start, to: head }];
    });
}

/** Attempts after the last one that passed, if the run ended without passing: their work is not the run's. */
function openAttempts(database: RunDeps['database'], id: RunId): StoredAttempt[] {
  if (!['failed', 'cancelled', 'superseded', 'rejected'].includes(runOf(database, id).state)) return [];
  const attempts = attemptsOfRun(database, id).filter(({ isSealed }) => isSealed);
  return attempts.slice(attempts.findLastIndex(({ state, isSalvage }) => state === 'passed' && !isSalvage) + 1);
}

/** What a passed attempt had not committed is in its head; beside it lie other branches and the like. */
function pinnedWork({ state, repos }: StoredAttempt, repo: string): CommitId | null {
  const outcome = repos.find((each) => each.repo === repo);
  return (state === 'passed' ? null : outcome?.leftover) ?? outcome?.head ?? null;
}

function rangesOfStep({ database }: Pick<RunDeps, 'database'>, id: RunId, step: string): Range[] {
  if (!runSteps(database, id).some(({ name }) => name === step)) {
    throw new Fault('STEP_NOT_FOUND', `The run has no step ${step}.`);
  }
  const newest = attemptsOfRun(database, id).findLast((attempt) => attempt.step === step && attempt.isSealed);
  if (newest === undefined) return [];
  return newest.repos.flatMap(({ repo, start }) => {
    const to = pinnedWork(newest, repo);
    return to === null ? [] : [{ repo, from: start, to }];
  });
}
