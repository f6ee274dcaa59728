import { join } from 'node:path';
import { REPO_GUIDANCE_FILE } from '../../../agents/guidance.ts';
import { createClone } from '../../../git/clone.ts';
import { moveRefs } from '../../../git/refs.ts';
import { copiedFiles, repoGuidanceText } from '../../guidance/repo-guidance.ts';
import type { Progress } from '../../jobs.ts';
import type { ServiceParts } from '../../parts.ts';
import { severalAtATime } from '../../../platform/several-at-a-time.ts';
import type { RepoPlan } from './plan-branches.ts';
import { writeInto } from './write-into.ts';

/** Clones at a time: a disk is not the faster for more. */
const AT_ONCE = 2;

/** Makes the branches that are missing in the root repos, then the clones side by side in `folder`. */
export async function makeClones(
  parts: Pick<ServiceParts, 'config' | 'layout'>,
  { workspace, folder, plans }: { workspace: string; folder: string; plans: readonly RepoPlan[] },
  { signal, progress }: { signal: AbortSignal; progress: Progress },
): Promise<void> {
  for (const plan of plans) {
    if (plan.before === plan.commit) continue;
    await moveRefs(plan.rootFolder, [{ ref: `refs/heads/${plan.branch}`, from: plan.before, to: plan.commit }], {
      signal,
    });
  }
  await severalAtATime(plans, { limit: AT_ONCE, signal }, (plan, ended) =>
    makeClone(parts, { workspace, folder: join(folder, plan.repo), plan }, ended, progress),
  );
}

async function makeClone(
  parts: Pick<ServiceParts, 'config' | 'layout'>,
  { workspace, folder, plan }: { workspace: string; folder: string; plan: RepoPlan },
  signal: AbortSignal,
  progress: Progress,
): Promise<void> {
  const { repo, role, rootFolder, branch, commit } = plan;
  const { author } = parts.config.settings();
  const copied = await copiedFiles(parts, repo);
  await createClone({
    rootFolder,
    folder,
    branch,
    commit,
    role,
    exclude: [REPO_GUIDANCE_FILE, ...copied.map(({ path }) => path)],
    signal,
    onProgress: (text, percent) => progress(repo, text, percent),
    ...(author === undefined ? {} : { author }),
  });
  for (const { path, bytes } of copied) await writeInto(folder, path, bytes);
  const guidance = repoGuidanceText(parts, { workspace, repo, role });
  if (guidance !== undefined) await writeInto(folder, REPO_GUIDANCE_FILE, guidance);
  progress(repo, 'cloned', 100);
}
