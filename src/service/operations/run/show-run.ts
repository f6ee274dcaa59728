import type { runShow } from '../../../contract/operations/run.ts';
import type { ParamsOf, ReplyOf } from '../../../contract/operation.ts';
import type { Run, RunRepo } from '../../../contract/run.ts';
import { isAncestor } from '../../../git/history.ts';
import { refCommit } from '../../../git/refs.ts';
import { isDiskFull } from '../../../platform/disk-space.ts';
import { isThere } from '../../../platform/files.ts';
import { resolveRun, runView } from '../../../store/run-views.ts';
import { lookCommand, takeCommand } from '../../runs/reach-work.ts';
import type { RunDeps } from './run-deps.ts';

/** A run with the commands that reach its pinned work, and why what is not on a branch is not. Fault: RUN_NOT_FOUND. */
export async function showRun(
  { database, layout }: Pick<RunDeps, 'database' | 'layout'>,
  params: ParamsOf<typeof runShow>,
  signal: AbortSignal,
): Promise<ReplyOf<typeof runShow>> {
  const run = runView(database, resolveRun(database, params.run));
  const repos = await Promise.all(
    run.repos.map(async (repo): Promise<RunRepo> => {
      if (repo.head === (repo.landed ?? repo.start)) return repo;
      return { ...repo, notLanded: await whyNotLanded(layout.root(repo.repo), run.workspace, repo, signal) };
    }),
  );
  const pins = await Promise.all(
    run.pins.map(async (pin): Promise<Run['pins'][number]> => {
      const look = lookCommand(layout, pin);
      const hasClone = await isThere(layout.clone(run.workspace, pin.repo));
      return hasClone ? { ...pin, look, take: takeCommand(layout, run.workspace, pin) } : { ...pin, look };
    }),
  );
  const heldUp = run.state === 'running' && (await isDiskFull(layout.state));
  const sentence = `The disk of ${layout.home} is full: what its steps do, and their end, is taken in once there is room.`;
  return { ...run, repos, pins, ...(heldUp ? { heldUp: sentence } : {}) };
}

/** As the root repo is now: what was in the way when the step ended has left no other trace. */
async function whyNotLanded(
  folder: string,
  branch: string,
  { start, head, landed }: RunRepo,
  signal: AbortSignal,
): Promise<RunRepo['notLanded']> {
  const tip = await refCommit(folder, `refs/heads/${branch}`, { signal });
  if (tip === null) return 'branch-deleted';
  if (await isAncestor(folder, head, tip, { signal })) return 'pushed-by-hand';
  return (await isAncestor(folder, landed ?? start, head, { signal })) ? 'pushed-over' : 'rewritten';
}
