import type { RunId } from '../../contract/ids.ts';
import type { ScriptName } from '../../contract/pipeline.ts';
import { SETUP_STEP } from '../../pipeline/check-pipeline.ts';
import type { RunSoFar } from '../../pipeline/next-actions.ts';
import { isTakenOut } from '../../pipeline/pinned-work.ts';
import { attemptsOfRun, type StoredAttempt } from '../../store/attempts.ts';
import type { Database } from '../../store/database.ts';
import { runSteps, type StoredStep } from '../../store/run-steps.ts';
import type { StoredRun } from '../../store/runs.ts';

/** A run as the decision about its next step needs it. */
export function runSoFar(database: Database, run: StoredRun): RunSoFar {
  const attempts = attemptsOfRun(database, run.id);
  return {
    stopping: run.stopping,
    steps: runSteps(database, run.id).map((step) => {
      const own = attempts.filter((attempt) => attempt.step === step.name);
      return {
        name: step.name,
        kind: step.kind,
        state: step.state,
        retries:
          step.name === SETUP_STEP ? 0 : (run.pipeline.steps.find(({ name }) => name === step.name)?.retries ?? 0),
        attempts: own.filter((attempt) => attempt.number >= step.countsFrom),
        isRepeated: own.some((attempt) => attempt.number < step.countsFrom),
      };
    }),
  };
}

/** True while an attempt of the run is alive. */
export function isAtWork({ database }: { readonly database: Database }, run: RunId): boolean {
  return attemptsOfRun(database, run).some((attempt) => !attempt.isSealed);
}

/** True if all that was done in the run's folder is in the root repos, so that the folder may go. */
export function isWorkPinned(
  attempts: readonly StoredAttempt[],
  steps: readonly Pick<StoredStep, 'name' | 'kind' | 'title'>[],
): boolean {
  const kinds = new Map(
    steps.map(({ name, kind, title }) => [name as string, kind === 'script' && title === MERGE ? 'merge' : kind]),
  );
  const last = (...wanted: readonly string[]): StoredAttempt | undefined =>
    attempts.findLast((attempt) => wanted.includes(kinds.get(attempt.step) ?? ''));
  // What commits cannot hold stays where it is, whatever later attempts bring out.
  if (attempts.some(({ repos }) => repos.some(({ leftInFolder }) => leftInFolder === true))) return false;
  const isAllOut = (attempt: StoredAttempt | undefined): boolean => attempt === undefined || isTakenOut(attempt);
  const merge = last('merge');
  // A merge that was cut short is made anew, from commits that are pinned.
  return isAllOut(last('agent', 'command')) && (merge?.state === 'interrupted' || isAllOut(merge));
}

/** The title of a script step is the script's name. */
const MERGE: ScriptName = 'merge_upstream';
