import { refCommit, compareAndSwapBranch } from '../../git/refs.ts';
import { isAncestor } from '../../git/history.ts';
import { appendEvent } from '../../store/events.ts';
import { type Landing, landingsOfAttempt, planLanding, settleLanding } from '../../store/landings.ts';
import { runRepos, setRunHead, setRunLanded } from '../../store/run-repos.ts';
import type { StoredAttempt } from '../../store/attempts.ts';
import { runOf, type StoredRun } from '../../store/runs.ts';
import { advanceSeenRef, seenRef } from '../../store/seen-refs.ts';
import type { Desk } from './desk-parts.ts';

/** A planned move and what became of it. */
interface Moved {
  readonly landing: Landing;
  readonly state: 'landed' | 'foreign';
}

/**
 * Brings the commits of a passed attempt onto the workspace's branches: a journal first, then each branch, if it
 * still stands where it is expected, then one transaction that settles it together with `alongside`. After a crash
 * the same call goes on where the journal stands, and lands nothing twice.
 */
export async function landAttempt(
  desk: Desk,
  run: StoredRun,
  attempt: StoredAttempt,
  alongside: (atMs: number) => void,
): Promise<void> {
  plan(desk, run, attempt);
  desk.debugPoint?.('landing-planned');
  const moved = await makePlannedMoves(desk, attempt.id);
  desk.database.transaction(() => {
    const atMs = Date.now();
    for (const { repo, head } of attempt.repos) if (head !== null) setRunHead(desk.database, run.id, repo, head);
    settleMoves(desk, run, moved, atMs);
    alongside(atMs);
  });
  desk.bus.wake();
  desk.debugPoint?.('landing-settled');
  await lookAgain(desk, moved);
}

/**
 * A push that was noticed only while takt moved the same branch was taken for takt's own move. What was seen is then
 * not what landed, and has to be compared once more.
 */
export async function lookAgain(desk: Desk, moved: readonly Moved[]): Promise<void> {
  const unseen = moved.filter(
    ({ landing: { repo, branch, ...landing }, state }) =>
      state === 'landed' && seenRef(desk.database, repo, branch) !== landing.new,
  );
  if (unseen.length === 0) return;
  try {
    await desk.checkRefs(unseen.map(({ landing }) => landing.repo));
  } catch (error) {
    desk.log.warn({ err: error }, 'Branches could not be compared after a landing; the next push or start does it.');
  }
}

/** Makes the moves of an attempt that are planned and not settled. */
export async function makePlannedMoves(desk: Desk, attempt: string): Promise<Moved[]> {
  const moved: Moved[] = [];
  for (const landing of landingsOfAttempt(desk.database, attempt)) {
    if (landing.state !== 'planned') continue;
    moved.push({ landing, state: await moveBranch(desk, landing) });
    desk.debugPoint?.(`landed-${landing.repo}`);
  }
  return moved;
}

/** Writes down what became of the moves, and that takt has seen them; belongs into a transaction. */
export function settleMoves(
  desk: Desk,
  run: Pick<StoredRun, 'id' | 'number'>,
  moved: readonly Moved[],
  atMs: number,
): void {
  for (const { landing, state } of moved) {
    const { repo, branch, attempt } = landing;
    settleLanding(desk.database, attempt, repo, state);
    if (state === 'landed') {
      setRunLanded(desk.database, run.id, repo, landing.new);
      advanceSeenRef(desk.database, repo, branch, landing.old, landing.new);
      appendEvent(desk.database, {
        topic: 'branch.update',
        atMs,
        workspace: branch,
        run: run.id,
        data: {
          repo,
          branch,
          commit: landing.new,
        },
      });
    }
    appendEvent(desk.database, {
      topic: 'landing.update',
      atMs,
      workspace: branch,
      run: run.id,
      data: {
        repo,
        state,
        commit: landing.new,
        number: run.number,
      },
    });
  }
}

/** Only work of repos that the run edits lands, on top of what landed before. */
function plan(desk: Desk, run: StoredRun, attempt: StoredAttempt): void {
  desk.database.transaction(() => {
    // A branch that was deleted while the run worked is not made again.
    if (!runOf(desk.database, run.id).mayLand || landingsOfAttempt(desk.database, attempt.id).length > 0) return;
    for (const { repo, role, start, landed } of runRepos(desk.database, run.id)) {
      const head = attempt.repos.find((outcome) => outcome.repo === repo)?.head ?? null;
      if (role !== 'edit' || head === null || head === (landed ?? start)) continue;
      planLanding(desk.database, {
        run: run.id,
        attempt: attempt.id,
        repo,
        branch: run.workspace,
        old: landed ?? start,
        new: head,
        atMs: Date.now(),
      });
    }
  });
}

/** A branch moves forward only: work that left out what it began with stays pinned, as does work that came too late. */
async function moveBranch(desk: Desk, { repo, branch, old, new: commit }: Landing): Promise<'landed' | 'foreign'> {
  const folder = desk.layout.root(repo);
  const { signal } = desk;
  if (!(await isAncestor(folder, old, commit, { signal }))) return 'foreign';
  const outcome = await compareAndSwapBranch(folder, branch, old, commit, { signal });
  if (outcome !== 'foreign') return 'landed';
  // After a crash somebody may have pushed on top of what was moved before it.
  const tip = await refCommit(folder, `refs/heads/${branch}`, { signal });
  return tip !== null && (await isAncestor(folder, commit, tip, { signal })) ? 'landed' : 'foreign';
}
