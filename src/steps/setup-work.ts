import { join } from 'node:path';
import type { AttemptRepo } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';
import { pushOrder } from '../git/push.ts';
import type { WalledDesk } from './attempt-desk.ts';
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
  const { request, output } = desk;
  const place = { env: workEnvironment(request), cwd: join(request.runFolder, repo.name) };
  output.note(`${repo.name}: ${setup}`);
  const { exitCode } = await runInside({ ...desk, attempt: request.attempt, command: ['/bin/sh', '-c', setup], extra: place });
  if (exitCode !== 0 || desk.signal.aborted) return exitCode;
  const hidden = await runInside({ ...desk, attempt: request.attempt, command: ['/bin/sh', '-c', HIDE_RESIDUE], extra: place });
  if (hidden.exitCode !== 0 && !desk.signal.aborted) throw new Fault('GIT_FAILED', `What the setup of ${repo.name} left could not be listed.`, { detail: hidden.tail });
  return 0;
}

/**
 * What setup made and the repo does not ignore, such as a virtual environment, is no change of a later step: it is
 * excluded in this worktree, each path from the top, with its special letters escaped.
 */
const HIDE_RESIDUE = [
  'set -e',
  'mkdir -p .git/info',
  String.raw`git -c core.quotePath=false ls-files --others --exclude-standard --directory | sed 's/[][\\*?!#]/\\&/g; s#^#/#' >> .git/info/exclude`,
  'changed=$(git diff --name-only)',
  'if [ -n "$changed" ]; then echo "Setup changed files that are in git; the next step would commit them:"; echo "$changed"; fi',
].join('\n');
