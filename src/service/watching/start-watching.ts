import type { CommitId } from '../../contract/ids.ts';
import { isThere, makeFolder } from '../../platform/files.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { readHeads } from '../../git/refs.ts';
import { branchNow, branchPlaces, traceOf, type BranchTrace } from './branch-files.ts';
import { keepReplaced } from './keep-replaced.ts';
import { openPokeFifo, type PokeFifo } from './poke-fifo.ts';
import { installPostReceive } from './post-receive.ts';
import { readPushNotes, removePushNote, type PushNote } from './push-spool.ts';

/** A branch that stands elsewhere than it was seen; null means absent. */
export interface BranchMove {
  readonly repo: string;
  readonly branch: string;
  readonly from: CommitId | null;
  readonly to: CommitId | null;
}

export interface WatchingParts {
  readonly layout: HomeLayout;
  /** The root repos as the store knows them now. */
  readonly repos: () => readonly { readonly name: string; readonly rootFolder: string }[];
  /** Where the branches of a repo were seen last: the truth that refs are compared with. */
  readonly seen: (repo: string) => ReadonlyMap<string, string>;
  /** Takes moves in, in one transaction with what was seen. Synchronous. If it throws, the same moves come again. */
  readonly onMoves: (moves: BranchMove[]) => void;
  readonly log: { warn(details: object, sentence: string): void };
  readonly sweepMs?: number;
}

/**
 * The watching of root repos. Two hints, one truth: a hook tells of a push, a sweep looks at the times of files; either
 * only makes the branches be compared with what was seen. At rest no process runs.
 */
export interface Watching extends AsyncDisposable {
  /** A root repo that is new; resolves when its hook is installed and its branches were compared. */
  repoAdded(name: string): Promise<void>;
  /** Call it before the folder goes, so that its branches do not look deleted. */
  repoRemoved(name: string): void;
  /** Compares now, one repo or all; resolves when the moves are taken in. */
  checkNow(repo?: string): Promise<void>;
}

const SWEEP_MS = 2_000;

/** Begins to watch; resolves when all that happened while nobody watched is taken in. */
export async function startWatching(parts: WatchingParts): Promise<Watching> {
  const watch = new RefWatch(parts);
  await watch.begin();
  return watch;
}

/** What is known of one root repo. */
interface Watched {
  /** The places that were looked at, and how they looked, before the last comparison. */
  places: string[];
  trace: BranchTrace | undefined;
  /** What was reported of branches that `seen` lacks: they are nobody's workspace, and are not told of again. */
  reported: Map<string, CommitId>;
  /** The comparison that runs, and the one that waits for its end. */
  running: Promise<void> | undefined;
  next: Promise<void> | undefined;
}

class RefWatch implements Watching {
  readonly #parts: WatchingParts;
  readonly #stop = new AbortController();
  readonly #watched = new Map<string, Watched>();
  /** Notes of the spool whose pins are being made. */
  readonly #taken = new Set<string>();
  #fifo: PokeFifo | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #pinning: Promise<void> = Promise.resolve();

  constructor(parts: WatchingParts) {
    this.#parts = parts;
  }

  async begin(): Promise<void> {
    await makeFolder(this.#parts.layout.pushSpool, 0o700);
    await this.#openFifo();
    this.#takeNotes();
    await this.checkNow();
    this.#scheduleSweep();
  }

  async repoAdded(name: string): Promise<void> {
    await this.#compareSoon(name);
  }

  repoRemoved(name: string): void {
    this.#watched.delete(name);
  }

  async checkNow(repo?: string): Promise<void> {
    this.#takeNotes();
    const names = repo === undefined ? this.#parts.repos().map(({ name }) => name) : [repo];
    await Promise.all(names.map(async (name) => this.#compareSoon(name)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    this.#fifo?.[Symbol.dispose]();
    await this.#sweeping;
    await Promise.all(
      [...this.#watched.values()].map(async ({ running, next }) => Promise.allSettled([running, next])),
    );
    await this.#pinning;
  }

  async #openFifo(): Promise<void> {
    try {
      this.#fifo?.[Symbol.dispose]();
      this.#fifo = await openPokeFifo(this.#parts.layout.pokeFifo, () => this.#takeNotes(), this.#stop);
    } catch (error) {
      if (!this.#stop.signal.aborted)
        this.#parts.log.warn({ err: error }, 'pushes are found by the sweep only: the FIFO does not work');
    }
  }

  /** The short way from a push to its run: spool, ref files, transaction. */
  #takeNotes(): void {
    const { layout, log } = this.#parts;
    try {
      const notes = readPushNotes(layout.pushSpool, this.#taken);
      const folders = new Map(this.#parts.repos().map(({ name, rootFolder }) => [name, rootFolder]));
      const moves = notes.flatMap((note) => this.#movesOf(note, folders.get(note.repo)));
      const unique = [...new Map(moves.map((move) => [`${move.repo} ${move.branch}`, move])).values()];
      if (unique.length > 0) this.#parts.onMoves(unique);
      for (const note of notes) this.#settleNote(note, folders.get(note.repo));
    } catch (error) {
      // The notes are still there, and the sweep compares all the same.
      log.warn({ err: error }, 'pushes were not taken in; they will be with the next sweep');
      for (const watched of this.#watched.values()) watched.trace = undefined;
    }
  }

  #movesOf(note: PushNote, rootFolder: string | undefined): BranchMove[] {
    if (rootFolder === undefined) return [];
    const seen = this.#parts.seen(note.repo);
    return note.refs.flatMap(({ branch }) => {
      const to = branchNow(rootFolder, branch);
      const from = (seen.get(branch) ?? null) as CommitId | null;
      return to === undefined || to === from ? [] : [{ repo: note.repo, branch, from, to }];
    });
  }

  #settleNote(note: PushNote, rootFolder: string | undefined): void {
    this.#taken.add(note.file);
    this.#pinning = this.#pinning.then(async () => {
      await this.#pin(rootFolder, note.repo, note.refs);
      if (this.#stop.signal.aborted) return;
      removePushNote(this.#parts.layout.pushSpool, note.file);
      this.#taken.delete(note.file);
    });
  }

  /** One after the other, behind the moves: a run does not wait for it, and a crash in between leaves the note. */
  async #pin(rootFolder: string | undefined, repo: string, moves: readonly Omit<BranchMove, 'repo'>[]): Promise<void> {
    try {
      if (rootFolder !== undefined) for (const move of moves) await keepReplaced(rootFolder, move, this.#stop);
    } catch (error) {
      if (!this.#stop.signal.aborted)
        this.#parts.log.warn({ err: error, repo }, 'what a force push replaced could not be pinned');
    }
  }

  /** At most one comparison of a repo runs and one waits, which began after everything that was asked for by then. */
  async #compareSoon(name: string): Promise<void> {
    const watched = this.#watched.get(name) ?? {
      places: [],
      trace: undefined,
      reported: new Map(),
      running: undefined,
      next: undefined,
    };
    this.#watched.set(name, watched);
    if (watched.running !== undefined) {
      watched.next ??= watched.running.then(async () => this.#run(name, watched));
      return watched.next;
    }
    return this.#run(name, watched);
  }

  async #run(name: string, watched: Watched): Promise<void> {
    watched.next = undefined;
    const work = this.#compare(name, watched).catch((error: unknown) => {
      watched.trace = undefined;
      if (!this.#stop.signal.aborted)
        this.#parts.log.warn({ err: error, repo: name }, 'the branches of a root repo could not be compared');
    });
    watched.running = work.finally(() => {
      watched.running = undefined;
    });
    return watched.running;
  }

  async #compare(name: string, watched: Watched): Promise<void> {
    const rootFolder = this.#parts.repos().find((repo) => repo.name === name)?.rootFolder;
    if (rootFolder === undefined || !(await isThere(rootFolder))) return;
    await installPostReceive(rootFolder, name, this.#parts.layout);
    watched.places = await branchPlaces(rootFolder);
    const trace = await traceOf(watched.places);
    const heads = await readHeads(rootFolder, this.#stop);
    // The repo may have been removed, or removed and added, while git ran.
    if (this.#stop.signal.aborted || this.#watched.get(name) !== watched) return;
    const moves = movesBetween({
      repo: name,
      rootFolder,
      heads,
      seen: this.#parts.seen(name),
      reported: watched.reported,
    });
    if (moves.length > 0) this.#parts.onMoves(moves);
    watched.reported = heads;
    watched.trace = trace.isSettled ? trace : undefined;
    this.#pinning = this.#pinning.then(async () => this.#pin(rootFolder, name, moves));
  }

  #scheduleSweep(): void {
    this.#timer = setTimeout(() => {
      this.#sweeping = this.#sweep().finally(() => {
        if (!this.#stop.signal.aborted) this.#scheduleSweep();
      });
    }, this.#parts.sweepMs ?? SWEEP_MS);
  }

  async #sweep(): Promise<void> {
    try {
      if (this.#fifo?.isUsable() !== true) await this.#openFifo();
      this.#takeNotes();
      await Promise.all(this.#parts.repos().map(async ({ name }) => this.#sweepRepo(name)));
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#parts.log.warn({ err: error }, 'a sweep over the root repos failed');
    }
  }

  async #sweepRepo(name: string): Promise<void> {
    const watched = this.#watched.get(name);
    if (watched?.trace !== undefined && (await traceOf(watched.places)).text === watched.trace.text) return;
    await this.#compareSoon(name);
  }
}

/**
 * The moves between what was seen and what git listed. A branch that was seen is read once more, in the same breath as
 * the transaction: since git listed it, it may have moved and been seen there, by a push or a landing.
 */
function movesBetween(p: {
  repo: string;
  rootFolder: string;
  heads: ReadonlyMap<string, CommitId>;
  seen: ReadonlyMap<string, string>;
  reported: ReadonlyMap<string, CommitId>;
}): BranchMove[] {
  const moves: BranchMove[] = [];
  for (const [branch, commit] of p.heads) {
    if (!p.seen.has(branch) && p.reported.get(branch) !== commit)
      moves.push({ repo: p.repo, branch, from: null, to: commit });
  }
  for (const [branch, from] of p.seen) {
    const listed = p.heads.get(branch) ?? null;
    if (listed === from) continue;
    const now = branchNow(p.rootFolder, branch);
    const to = now === undefined ? listed : now;
    if (to !== from) moves.push({ repo: p.repo, branch, from: from as CommitId, to });
  }
  return moves;
}
