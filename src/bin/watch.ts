import { jsonText } from '../cli/clean-text.ts';
import type { LocalCall } from '../cli/local-call.ts';
import { branchChangeLine, localTime } from '../cli/print/branch-changes.ts';
import { counted } from '../cli/print/figures.ts';
import { requireHome } from '../cli/start-service.ts';
import type { BranchChange } from '../contract/branch-change.ts';
import { Fault, faults } from '../contract/faults.ts';
import type { ParamsOf } from '../contract/operation.ts';
import { isRepoName } from '../contract/name-patterns.ts';
import { branchWatch } from '../contract/operations/watch.ts';
import { readParams } from '../service/http/read-params.ts';
import type { BranchMove } from '../service/watching/moves-between.ts';
import { startBranchWatch } from './watch/branch-watch.ts';
import { openMoveQueue } from './watch/move-queue.ts';
import { describeMove } from './watch/describe-move.ts';
import { refuseUnknown, strayNote } from './watch/root-repos.ts';
import { forgetSeen, readSeen, writeSeen } from './watch/seen-file.ts';
import { type Heads, headsNow, movesSince } from './watch/watch-once.ts';

type Params = ParamsOf<typeof branchWatch>;

const LOOK_EVERY_MS = 2_000;
const NO_REPOS = 'No repos yet. `takt repo add NAME UPSTREAM` mirrors one.';

/** Prints changes of branches as they happen, or with --once those since the last time. Writes nothing into root repos. */
export async function watchBranches(call: LocalCall): Promise<number> {
  const params = readParams(branchWatch.params, { path: {}, query: {}, body: call.params });
  const { layout, address } = call.place;
  if (address.kind === 'url')
    throw new Fault('INPUT_INVALID', `TAKT_URL leads to ${address.url}; its root repos are watched on that machine.`, {
      hint: '`takt events` shows what its service does.',
    });
  await requireHome(layout);
  refuseMixedOptions(params);
  await refuseUnknown(layout, params.repos);
  return params.once ? tellOnce(call, params) : follow(call, params);
}

function refuseMixedOptions({ once, reset, poll }: Params): void {
  if (reset && !once) throw new Fault('INPUT_INVALID', '--reset forgets what --once has seen; give both.');
  if (once && poll !== undefined)
    throw new Fault('INPUT_INVALID', '--once looks a single time, so --poll does not go with it.');
}

async function follow(call: LocalCall, params: Params): Promise<number> {
  const { terminal, signal, place } = call;
  const ended = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => ended.resolve(), { once: true });
  // It may fail before anybody waits for it.
  ended.promise.catch(() => undefined);
  const queue = openMoveQueue((moves, atMs) => printMoves(call, moves, atMs), ended.reject);
  const isMeant = ({ branch }: BranchMove): boolean => params.workspace === undefined || branch === params.workspace;
  try {
    using watch = await startBranchWatch(
      {
        layout: place.layout,
        repos: params.repos,
        everyMs: params.poll === undefined ? LOOK_EVERY_MS : params.poll * 1000,
        usesFileSystem: params.poll === undefined,
        onMoves: (moves) => queue.add(moves.filter(isMeant)),
        untilRead: queue.untilRead,
        onNote: (sentence) => terminal.writeError(`takt: ${sentence}\n`),
      },
      signal,
    );
    const { repos, branches } = watch.counts;
    if (repos === 0) terminal.writeError(`${NO_REPOS}\n`);
    terminal.writeError(
      terminal.errorPage.style.dim(
        `watching ${counted(branches, 'branch', 'branches')} of ${counted(repos, 'repo')}\n`,
      ),
    );
    await ended.promise;
    await queue.untilPrinted();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return faults.CANCELLED.exitCode;
}

async function tellOnce(call: LocalCall, { repos, workspace, reset }: Params): Promise<number> {
  const { terminal, flags, signal, place } = call;
  const { layout } = place;
  const say = (sentence: string): unknown =>
    flags.json ? terminal.writeError(`takt: ${sentence}\n`) : terminal.write(`${sentence}\n`);
  if (reset) await forgetSeen(layout);
  const before = await readSeen(layout);
  const atMs = Date.now();
  const now = await headsNow(layout, repos, signal);
  for (const name of repos.length === 0 ? now.strays : []) terminal.writeError(`takt: ${strayNote(name)}\n`);
  for (const [repo, why] of now.unreadable) terminal.writeError(`takt: the repo ${repo} cannot be read: ${why}\n`);
  if (now.there.length === 0) await say(NO_REPOS);
  const { moves, seen, gone, noted } = movesSince(before, now, { repos, branch: workspace });
  // An earlier takt noted strays as if they were repos.
  for (const repo of gone.filter(isRepoName)) terminal.writeError(`takt: the repo ${repo} is gone\n`);
  await printMoves(call, moves, atMs);
  if (before === undefined || noted.length > 0) await say(notedSentence(noted, now.heads));
  else if (moves.length === 0) await say(`Nothing has changed since ${localTime(before.atMs)}.`);
  // Last: who is killed before is told again, and nothing is missed.
  await writeSeen(layout, { atMs, ...seen });
  return now.unreadable.size === 0 ? 0 : faults.GIT_FAILED.exitCode;
}

function notedSentence(repos: readonly string[], heads: Heads): string {
  const count = repos.reduce((sum, repo) => sum + Object.keys(heads[repo] ?? {}).length, 0);
  return `Noted where ${counted(count, 'branch is', 'branches are')} in ${counted(repos.length, 'repo')}; the next \`takt watch --once\` tells what has changed.`;
}

async function printMoves(
  { terminal, flags, signal, place }: LocalCall,
  moves: readonly BranchMove[],
  atMs: number,
): Promise<void> {
  for (const move of moves) {
    const change = await describeMove(move, { rootFolder: place.layout.root(move.repo), atMs, signal });
    await terminal.write(lineOf(change));
  }

  function lineOf(change: BranchChange): string {
    return flags.json ? `${jsonText(change)}\n` : branchChangeLine(change, terminal.page);
  }
}
