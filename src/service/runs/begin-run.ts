import { Fault } from '../../contract/faults.ts';
import type { RunId } from '../../contract/ids.ts';
import type { Settings } from '../../contract/settings.ts';
import { findModelAccess } from '../../agents/model-access.ts';
import { needsAmong } from '../../git/push-order.ts';
import { runRepos } from '../../store/run-repos.ts';
import { beginRun, findRun, isRetried, type RunSnapshot, runOf, type StoredRun } from '../../store/runs.ts';
import { changeRun, type Desk } from './desk-parts.ts';
import { endRun } from './end-run.ts';
import { reasonFor } from './failure-reason.ts';
import { followBranches } from './follow-branches.ts';

/**
 * A queued run begins to work, with roles, settings and repos as they are now. One that could not do its work ends at
 * once, with the reason and what helps.
 */
export async function beginQueuedRun(desk: Desk, id: RunId): Promise<void> {
  const run = runOf(desk.database, id);
  let snapshot: RunSnapshot;
  try {
    snapshot = snapshotFor(desk, run);
    await checkMeans(desk, run.pipeline, snapshot.settings);
  } catch (error) {
    endRun(desk, run, { state: 'failed', step: null, reason: reasonFor(error) });
    return;
  }
  const takenUp = isRetried(desk.database, id) ? await followBranches(desk, run) : undefined;
  // It may have been cancelled or superseded meanwhile.
  if (findRun(desk.database, id)?.state !== 'queued') return;
  changeRun(desk, run, 'running', (atMs) => {
    takenUp?.record();
    const folder = desk.layout.runFolder(run.workspace, run.number);
    beginRun(desk.database, id, { atMs, snapshot, folder });
  });
  desk.debugPoint?.('run-begun');
}

/** Refuses what could not end well: agents without a model, and walls that are demanded and cannot be raised. */
export async function checkMeans(
  desk: Pick<Desk, 'environment' | 'userHome' | 'confinement'>,
  pipeline: StoredRun['pipeline'],
  settings: Settings,
): Promise<void> {
  const { environment, userHome: homeFolder } = desk;
  if (pipeline.steps.some((step) => step.kind === 'agent')) findModelAccess({ environment, settings, homeFolder });
  const isStrict = pipeline.steps.some((step) => (step.confinement ?? settings.confinement) === 'strict');
  if (!isStrict) return;
  const { works, why } = await desk.confinement();
  if (!works) throw new Fault('CONFINEMENT_MISSING', `This pipeline demands confinement. ${why}`);
}

function snapshotFor(desk: Desk, run: StoredRun): RunSnapshot {
  const { config } = desk;
  const names = runRepos(desk.database, run.id).map(({ repo }) => repo);
  return {
    rolesText: config.rolesText(),
    settings: config.settings(),
    repos: needsAmong(names, config.repos()).map(({ name, dependsOn }) => ({
      ...config.repo(name),
      depends_on: dependsOn,
    })),
  };
}
