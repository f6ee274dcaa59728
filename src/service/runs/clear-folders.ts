import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunId } from '../../contract/ids.ts';
import { isThere } from '../../platform/files.ts';
import { hostFolder } from '../../steps/host-folder.ts';
import { attemptsOfRun } from '../../store/attempts.ts';
import { runSteps } from '../../store/run-steps.ts';
import { dropRunFolder, findRun, runsWithFolder, type StoredRun } from '../../store/runs.ts';
import type { Desk } from './desk-parts.ts';
import { isWorkPinned } from './run-so-far.ts';

const DAY_MS = 86_400_000;

/** Clears away the folders of final runs whose time is over; those of passed runs go at once. */
export async function clearOldFolders(desk: Desk): Promise<void> {
  for (const { id } of runsWithFolder(desk.database)) {
    if (desk.signal.aborted) return;
    await desk.serially(id, () => clearRunFolder(desk, id));
  }
}

/**
 * Removes the worktrees of a run and the home of its agents, if the run is over, its time too, and everything in them
 * is in the root repos. The folder is hostile; removing it follows no link.
 */
export async function clearRunFolder(desk: Desk, id: RunId): Promise<void> {
  const run = findRun(desk.database, id);
  if (run === undefined || run.folder === null || !isTimeOver(desk, run)) return;
  if (!isPinned(desk, id)) return;
  await removeRunFolder(desk, run);
  desk.debugPoint?.('folder-removed');
  dropRunFolder(desk.database, id);
}

/** Makes room for fresh worktrees. What could not be pinned is put aside, and never deleted. */
export async function renewRunFolder(desk: Desk, run: StoredRun): Promise<void> {
  const folder = desk.layout.runFolder(run.workspace, run.number);
  if (isPinned(desk, run.id)) {
    await rm(folder, { recursive: true, force: true });
    return;
  }
  if (!(await isThere(folder))) return;
  const aside = `${folder}.kept-${Date.now()}`;
  await rename(folder, aside);
  desk.log.warn({ run: run.id, folder: aside }, 'The run’s folder holds work that could not be pinned, so it is kept.');
}

async function removeRunFolder(desk: Desk, run: StoredRun): Promise<void> {
  const agentFolder = join(desk.layout.agentHomes, run.id);
  await rm(desk.layout.runFolder(run.workspace, run.number), { recursive: true, force: true });
  await rm(agentFolder, { recursive: true, force: true });
  await rm(hostFolder({ agentFolder }), { recursive: true, force: true });
}

/** True if everything in the run's folder is in the root repos. */
export function isPinned(desk: Desk, id: RunId): boolean {
  return isWorkPinned(attemptsOfRun(desk.database, id), runSteps(desk.database, id));
}

function isTimeOver(desk: Desk, run: StoredRun): boolean {
  switch (run.state) {
    case 'passed':
      return true;
    case 'failed':
    case 'cancelled':
    case 'superseded':
    case 'rejected':
      return Date.now() - (run.endedAtMs ?? 0) >= desk.config.settings().keep_failed_days * DAY_MS;
    case 'gathering':
    case 'queued':
    case 'running':
    case 'waiting':
      return false;
  }
}
