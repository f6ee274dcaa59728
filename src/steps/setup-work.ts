import { join } from 'node:path';
import type { AttemptRepo } from '../contract/attempt.ts';
import { pushOrder } from '../git/push-order.ts';
import type { WalledDesk } from './attempt-desk.ts';
import { hideResidue } from './hide-residue.ts';
import { cacheKey, restoreCache, saveCache } from './repo-cache.ts';
import { makeWorktrees } from './make-worktrees.ts';
import { runInside } from './run-inside.ts';
import { workEnvironment } from './work-environment.ts';
import { endedWork, failedWork, passedWork, type WorkResult } from './work-result.ts';

/**
 * The visible step 0: makes the run's folder with a fresh worktree per repo, brings in guidance and files that are not
 * in git, and makes the worktrees able to work: caches from earlier runs, then each repo's own setup command, those
 * that others depend on first. A repo whose caches are all there under the key of its lock files needs no setup.
 */
export async function runSetupWork(desk: WalledDesk): Promise<WorkResult> {
  const { request, output, signal } = desk;
  await makeWorktrees(desk);
  const order = pushOrder(request.repos);
  for (const repo of request.repos.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name))) {
    if (signal.aborted) return endedWork;
    const key = repo.cache.length > 0 ? await cacheKey(repo, signal) : undefined;
    if (key !== undefined && (await restoreCache(desk, repo, key))) {
      output.note(`${repo.name}: ${repo.cache.join(', ')} taken from the cache, so that its setup is not needed.`);
      continue;
    }
    if (repo.setup === null) continue;
    const exitCode = await setUpRepo(desk, repo, repo.setup);
    if (signal.aborted) return endedWork;
    if (exitCode !== 0) {
      const sentence = `The setup of ${repo.name} ended with exit code ${exitCode}: ${repo.setup.split('\n', 1)[0]}`;
      return { ...failedWork({ class: 'setup', sentence }), exitCode };
    }
    if (key !== undefined) await saveCache(desk, repo, key);
  }
  return passedWork(`${request.repos.length} worktrees are ready.`);
}

async function setUpRepo(desk: WalledDesk, repo: AttemptRepo, setup: string): Promise<number> {
  desk.output.note(`${repo.name}: ${setup}`);
  const extra = { env: workEnvironment(desk.request), cwd: join(desk.request.runFolder, repo.name) };
  const { exitCode } = await runInside({
    ...desk,
    attempt: desk.request.attempt,
    command: ['/bin/sh', '-c', setup],
    extra,
  });
  if (exitCode === 0 && !desk.signal.aborted) await hideResidue(desk, repo);
  return exitCode;
}
