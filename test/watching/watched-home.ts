import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRoot } from '../../src/git/root-repo.ts';
import { homeLayout, type HomeLayout } from '../../src/platform/home-layout.ts';
import type { BranchMove } from '../../src/service/watching/moves-between.ts';
import { startWatching, type Watching } from '../../src/service/watching/start-watching.ts';
import { limit, newScratch, newUpstream, run } from '../git/scratch.ts';

/** A home with watched root repos, whose seen branches are kept as the store would. */
export interface WatchedHome extends AsyncDisposable {
  readonly folder: string;
  readonly layout: HomeLayout;
  readonly moves: BranchMove[];
  readonly calls: BranchMove[][];
  readonly warnings: string[];
  readonly watching: Watching;
  /** Makes the next calls fail, as a store that is locked does. */
  failing: boolean;
  root(repo: string): string;
  clone(repo: string, name?: string): string;
  seenOf(repo: string): Map<string, string>;
  /** Waits until so many moves were taken in altogether. */
  until(count: number): Promise<BranchMove[]>;
  untilTrue(what: () => boolean): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Never sweeps in a test's lifetime, so that what is found was found by a hint. */
export const NEVER_MS = 3_600_000;

const describeMove = ({ repo, branch, from, to }: BranchMove): string =>
  `${repo} ${branch} ${from ?? '-'} ${to ?? '-'}`;
export const described = (moves: readonly BranchMove[]): string[] => moves.map(describeMove).sort();

/**
 * Makes root repos with the branch `task`, seen where it is, and begins to watch them. Only `task*` is of interest,
 * as for the store only workspaces are.
 */
export async function watchedHome({
  repos = ['app'],
  sweepMs = NEVER_MS,
}: { repos?: string[]; sweepMs?: number } = {}): Promise<WatchedHome> {
  const scratch = newScratch('takt-watch-');
  const layout = homeLayout(scratch.folder);
  const seen = new Map<string, Map<string, string>>();
  const state: { waiting: (() => void)[]; watching: Watching | undefined } = { waiting: [], watching: undefined };
  for (const repo of repos) {
    const upstream = newUpstream(scratch.path('upstreams', repo));
    const { head } = await createRoot({ folder: layout.root(repo), upstream, signal: limit() });
    run(layout.root(repo), 'update-ref', 'refs/heads/task', head);
    seen.set(repo, new Map([['task', head]]));
  }
  const changed = (): void => {
    for (const wake of state.waiting.splice(0)) wake();
  };
  const home: WatchedHome = {
    folder: scratch.folder,
    layout,
    moves: [],
    calls: [],
    warnings: [],
    failing: false,
    get watching() {
      return state.watching!;
    },
    root: (repo) => layout.root(repo),
    clone(repo, name = 'clone') {
      mkdirSync(scratch.path('clones'), { recursive: true });
      const folder = scratch.path('clones', `${repo}-${name}`);
      run(scratch.folder, 'clone', '--quiet', '--branch=task', layout.root(repo), folder);
      return folder;
    },
    seenOf: (repo) => seen.get(repo)!,
    async untilTrue(what) {
      const deadline = limit();
      while (!what()) {
        const wake = new Promise<void>((resolve) => state.waiting.push(resolve));
        const timer = new AbortController();
        await Promise.race([wake, sleep(20, undefined, { signal: AbortSignal.any([deadline, timer.signal]) })]).finally(
          () => timer.abort(),
        );
      }
    },
    async until(count) {
      await home.untilTrue(() => home.moves.length >= count);
      return home.moves;
    },
    async stop() {
      await state.watching?.[Symbol.asyncDispose]();
      state.watching = undefined;
    },
    async start() {
      state.watching = await startWatching({
        layout,
        repos: () => [...seen.keys()].map((name) => ({ name, rootFolder: layout.root(name) })),
        seen: (repo) => new Map(seen.get(repo)),
        onMoves: (moves) => {
          if (home.failing) throw new Error('the store is locked');
          const ours = moves.filter(({ branch }) => branch.startsWith('task'));
          for (const { repo, branch, to } of ours) {
            if (to === null) seen.get(repo)?.delete(branch);
            else seen.get(repo)?.set(branch, to);
          }
          home.calls.push(moves);
          home.moves.push(...ours);
          changed();
        },
        log: {
          warn: (details: object, sentence: string) => {
            const { err } = details as { err?: unknown };
            home.warnings.push(`${sentence} ${err instanceof Error ? err.message : ''}`);
            changed();
          },
        },
        sweepMs,
      });
    },
    async [Symbol.asyncDispose]() {
      await home.stop();
      scratch[Symbol.dispose]();
    },
  };
  await home.start();
  return home;
}
