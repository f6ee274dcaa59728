import type { z } from 'zod';
import { attemptRefs } from '../../contract/attempt.ts';
import { Fault } from '../../contract/faults.ts';
import type { CommitId, RepoName, RunId } from '../../contract/ids.ts';
import type { runLand } from '../../contract/operations/run.ts';
import { mergeCommits } from '../../git/history.ts';
import { refCommit } from '../../git/refs.ts';
import { attemptsOfRun, type StoredAttempt } from '../../store/attempts.ts';
import { planLanding } from '../../store/landings.ts';
import { runRepos, setRunHead } from '../../store/run-repos.ts';
import { runOf, type StoredRun } from '../../store/runs.ts';
import type { Desk } from './desk-parts.ts';
import { lookAgain, makePlannedMoves, settleMoves } from './land-attempt.ts';
import { operatorAuthor } from './operator-author.ts';
import { branchBackHint, takeCommand } from './reach-work.ts';

type Landed = z.infer<typeof runLand.reply>['repos'][number];

/** A repo's newest commits of a run, and what a merge of the branch with them gave. */
interface Merged extends Landed {
  readonly attempt: StoredAttempt['id'];
}

/**
 * Brings the newest commits of a run that is over onto the workspace's branches, merging where needed. All merges are
 * made before any branch moves. Faults: RUN_STATE, BRANCH_MISSING, LANDING_CONFLICT with files and refs.
 */
export async function landRun(desk: Desk, id: RunId): Promise<Landed[]> {
  let landed: Landed[] = [];
  await desk.serially(id, async () => {
    const run = runOf(desk.database, id);
    const merged = await mergeAll(desk, refuseLive(run));
    const moves = merged.filter((repo) => repo.how !== 'current');
    await moveAll(desk, run, moves);
    landed = merged.map(({ repo, from, to, how }) => ({ repo, from, to, how }));
  });
  return landed;
}

/** Rolls forward what a service was at when it ended. */
export async function settleOpenMoves(desk: Desk, id: RunId, attempt: string): Promise<void> {
  const run = runOf(desk.database, id);
  const moved = await makePlannedMoves(desk, attempt);
  desk.database.transaction(() => {
    for (const { landing, state } of moved) {
      if (state === 'landed') setRunHead(desk.database, id, landing.repo, landing.new);
    }
    settleMoves(desk, run, moved, Date.now());
  });
  desk.bus.wake();
  await lookAgain(desk, moved);
  const foreign = moved.find(({ state }) => state === 'foreign');
  if (foreign === undefined) return;
  throw new Fault('LANDING_CONFLICT', `The branch ${run.workspace} of ${foreign.landing.repo} moved meanwhile.`, {
    hint: 'Repeat it: the merge is made with what is there now.',
  });
}

function refuseLive(run: StoredRun): StoredRun {
  if (run.endedAtMs !== null && run.state !== 'running' && run.state !== 'queued') return run;
  throw new Fault('RUN_STATE', `Run ${run.number} of ${run.workspace} is not over: it is ${run.state}.`);
}

async function mergeAll(desk: Desk, run: StoredRun): Promise<Merged[]> {
  const heads = newestHeads(desk, run.id);
  if (heads.length === 0) {
    throw new Fault('RUN_STATE', `Run ${run.number} of ${run.workspace} made no commits, so there is nothing to land.`);
  }
  const author = await operatorAuthor(desk.config.settings(), desk);
  const message = `Merge the work of run ${run.number}\n`;
  return Promise.all(
    heads.map(async ({ repo, head, attempt }): Promise<Merged> => {
      const folder = desk.layout.root(repo);
      const from = await refCommit(folder, `refs/heads/${run.workspace}`, desk);
      if (from === null) {
        throw new Fault('BRANCH_MISSING', `The branch ${run.workspace} is missing in ${repo}.`, {
          hint: branchBackHint(desk.layout, run.workspace, repo),
        });
      }
      const merge = await mergeCommits(folder, from, head, { author, message, signal: desk.signal });
      if (merge.kind === 'conflict' || merge.kind === 'unrelated')
        throw conflict(desk, run, { repo, head, attempt }, merge);
      return { repo, from, to: merge.commit, how: merge.kind, attempt };
    }),
  );
}

/** Merging by hand takes the commit's id: the root repo hides the ref from clones. */
function conflict(
  { layout }: Desk,
  run: StoredRun,
  { repo, head, attempt }: Newest,
  merge: { readonly kind: 'conflict'; readonly files: readonly string[] } | { readonly kind: 'unrelated' },
): Fault {
  const isRelated = merge.kind === 'conflict';
  const sentence = isRelated
    ? `In ${repo}, the work of run ${run.number} conflicts with the branch.`
    : `In ${repo}, the work of run ${run.number} has no commit in common with the branch.`;
  const files = merge.kind === 'conflict' ? merge.files : [];
  const pin = { repo, commit: head, what: 'head' as const };
  return new Fault('LANDING_CONFLICT', sentence, {
    detail: [`ref: ${attemptRefs(run.id, attempt)}/head`, ...files.map((file) => `file: ${file}`)].join('\n'),
    hint: `To merge it by hand: ${takeCommand(layout, run.workspace, pin, isRelated)}`,
  });
}

interface Newest {
  readonly repo: RepoName;
  readonly head: CommitId;
  readonly attempt: StoredAttempt['id'];
}

function newestHeads(desk: Desk, id: RunId): Newest[] {
  const attempts = attemptsOfRun(desk.database, id).filter((attempt) => !attempt.isSalvage);
  return runRepos(desk.database, id).flatMap(({ repo, role }) => {
    const attempt = attempts.findLast((each) => headIn(each, repo) !== null);
    const head = attempt === undefined ? null : headIn(attempt, repo);
    return role !== 'edit' || attempt === undefined || head === null ? [] : [{ repo, head, attempt: attempt.id }];
  });
}

function headIn(attempt: StoredAttempt, repo: string): CommitId | null {
  return attempt.repos.find((outcome) => outcome.repo === repo)?.head ?? null;
}

async function moveAll(desk: Desk, run: StoredRun, moves: readonly Merged[]): Promise<void> {
  desk.database.transaction(() => {
    for (const { repo, from, to, attempt } of moves) {
      planLanding(desk.database, {
        run: run.id,
        attempt,
        repo,
        branch: run.workspace,
        old: from,
        new: to,
        atMs: Date.now(),
      });
    }
  });
  desk.debugPoint?.('merge-planned');
  for (const attempt of new Set(moves.map((move) => move.attempt))) await settleOpenMoves(desk, run.id, attempt);
}
