import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../contract/faults.ts';
import { raiseWalls } from '../confinement/raise-walls.ts';
import type { Walls } from '../confinement/walls.ts';
import type { AttemptDesk, WalledDesk } from './attempt-desk.ts';
import { runCommandWork } from './command-work.ts';
import { untilGone } from './end-processes.ts';
import { handOver } from './hand-over.ts';
import { hasWalls } from './has-walls.ts';
import { runOwnScript } from './own-script.ts';
import { makeWorkFolder } from './run-folder.ts';
import { recordWork } from './run-inside.ts';
import type { WorkResult } from './work-result.ts';

/** Raises the walls that the request asks for, and says so in the log where there are none. */
export async function raiseWallsOf({ request, output, signal }: AttemptDesk): Promise<Walls> {
  const rootObjects = request.repos.map(({ rootFolder }) => join(rootFolder, 'objects'));
  const walls = await raiseWalls({ ...request, mode: request.confinement, rootObjects, readable: [], signal });
  if (walls.used.filesystem === 'none') output.note('This work is not confined: the rules are a guard rail only.');
  return walls;
}

/** Does what the step is about. Code that a kind alone needs is loaded for that kind, as hosts start often. */
export async function performWork(desk: AttemptDesk, walls: Walls | undefined, touch: () => void): Promise<WorkResult> {
  const { request } = desk;
  const { work } = request;
  if (work.kind === 'script' && !hasWalls(work)) return (await import('./script-work.ts')).runScriptWork(desk, work);
  if (walls === undefined) throw new Fault('INTERNAL', 'Work without walls.');
  const walled: WalledDesk = { ...desk, walls };
  makeWorkFolder(request.agentFolder, walls.user);
  await handOver(request, walls.user);
  if (work.kind === 'setup') return (await import('./setup-work.ts')).runSetupWork(walled);
  if (!existsSync(request.runFolder))
    throw new Fault('RUN_STATE', `The run's folder ${request.runFolder} is gone; its setup has to make it again.`);
  // It takes the worktrees to where it begins in its own way.
  if (work.kind === 'script') return (await import('./merge-upstream.ts')).mergeUpstream(walled, touch);
  if (request.restore) await restoreWorktrees(walled);
  if (work.kind === 'command') return runCommandWork(walled, work);
  const { runAgentWork } = await import('./agent-work.ts');
  const result = await runAgentWork({ ...walled, onStarted: (pid) => recordWork(desk.folder, pid), touch });
  await untilGone(request.attempt, undefined);
  return result;
}

/** Goes back to the recorded commits, inside the walls, as git obeys what lies in a worktree. */
async function restoreWorktrees(desk: WalledDesk): Promise<void> {
  const { request, output } = desk;
  const { restoreScript } = await import('../git/run-worktree.ts');
  const { readWorktreeRecord, withResidue } = await import('./worktree-record.ts');
  output.note('The worktrees go back to where this step began.');
  const repos = withResidue(request.repos, await readWorktreeRecord(request));
  const script = restoreScript(repos, { guidance: request.guidance.map(({ path }) => path) });
  const { exitCode, tail } = await runOwnScript(desk, script);
  if (exitCode !== 0 && !desk.signal.aborted)
    throw new Fault('GIT_FAILED', 'The worktrees could not go back to where this step began.', { detail: tail });
}
