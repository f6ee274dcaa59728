import { Fault } from '../../../contract/faults.ts';
import type { CommitId, RepoName, RunId } from '../../../contract/ids.ts';
import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import type { runDiff } from '../../../contract/operations/run.ts';
import { diffCommits } from '../../../git/history.ts';
import { attemptsOfRun } from '../../../store/attempts.ts';
import { runRepos } from '../../../store/run-repos.ts';
import { runSteps } from '../../../store/run-steps.ts';
import { resolveRun } from '../../../store/run-views.ts';
import type { RunDeps } from './run-deps.ts';

const PATCH_LIMIT_BYTES = 2 * 1024 * 1024;

interface Range {
  readonly repo: RepoName;
  readonly from: CommitId;
  readonly to: CommitId;
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
    wanted.map(async ({ repo, from, to }) => {
      const diff = await diffCommits(deps.layout.root(repo), from, to, { signal, limitBytes: PATCH_LIMIT_BYTES });
      return { repo, from, to, ...diff };
    }),
  );
  return { repos };
}

function rangesOfRun({ database }: Pick<RunDeps, 'database'>, id: RunId): Range[] {
  return runRepos(database, id)
    .filter(({ role, start, head }) => role === 'edit' && start !== head)
    .map(({ repo, start, head }) => ({ repo, from: start, to: head }));
}

function rangesOfStep({ database }: Pick<RunDeps, 'database'>, id: RunId, step: string): Range[] {
  if (!runSteps(database, id).some(({ name }) => name === step)) {
    throw new Fault('STEP_NOT_FOUND', `The run has no step ${step}.`);
  }
  const newest = attemptsOfRun(database, id).findLast((attempt) => attempt.step === step && attempt.isSealed);
  return (newest?.repos ?? []).flatMap(({ repo, start, head, leftover }) => {
    const to = leftover ?? head;
    return to === null ? [] : [{ repo, from: start, to }];
  });
}
