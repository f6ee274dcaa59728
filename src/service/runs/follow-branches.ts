import { runTakenUpRef } from '../../contract/attempt.ts';
import type { CommitId, RepoName } from '../../contract/ids.ts';
import { isAncestor } from '../../git/history.ts';
import { pinCommits, refCommit } from '../../git/refs.ts';
import { runRepos, setRunHead, setRunLanded } from '../../store/run-repos.ts';
import { reopenStep, runSteps } from '../../store/run-steps.ts';
import type { StoredRun } from '../../store/runs.ts';
import { renewRunFolder } from './clear-folders.ts';
import type { Desk } from './desk-parts.ts';

/** What a retried run takes up from the branches; `record` belongs into the transaction in which it begins. */
export interface TakenUp {
  record(): void;
}

/**
 * Since a retried run ended, somebody may have brought its branches on, such as by a merge that it could not make. Where
 * a branch holds all that the run holds, the run goes on from there, in fresh worktrees, and lands there: else it would
 * meet the same obstacle again. Where a branch went elsewhere, the run goes on from its own commits. May be called again
 * after a crash at any point.
 */
export async function followBranches(desk: Desk, run: StoredRun): Promise<TakenUp> {
  const moved = run.mayLand ? await branchesBeyond(desk, run) : [];
  const hasNews = moved.some(({ isNews }) => isNews);
  for (const { repo, commit } of moved)
    await pinCommits(desk.layout.root(repo), [{ ref: runTakenUpRef(run.id), commit }], desk);
  if (hasNews) await renewRunFolder(desk, run);
  desk.debugPoint?.('branches-followed');
  return {
    record() {
      for (const { repo, commit } of moved) {
        setRunHead(desk.database, run.id, repo, commit);
        setRunLanded(desk.database, run.id, repo, commit);
      }
      if (!hasNews) return;
      const setups = runSteps(desk.database, run.id).filter(({ kind }) => kind === 'setup');
      for (const { name } of setups) reopenStep(desk.database, run.id, name);
    },
  };
}

interface Beyond {
  readonly repo: RepoName;
  readonly commit: CommitId;
  /** False if it is just what the run holds, brought to the branch by hand. */
  readonly isNews: boolean;
}

async function branchesBeyond(desk: Desk, run: StoredRun): Promise<Beyond[]> {
  const edited = runRepos(desk.database, run.id).filter(({ role }) => role === 'edit');
  const found = await Promise.all(
    edited.map(async ({ repo, head, landed, start }): Promise<Beyond[]> => {
      const folder = desk.layout.root(repo);
      const commit = await refCommit(folder, `refs/heads/${run.workspace}`, desk);
      if (commit === null || commit === (landed ?? start) || !(await isAncestor(folder, head, commit, desk))) return [];
      return [{ repo, commit, isNews: commit !== head }];
    }),
  );
  return found.flat();
}
