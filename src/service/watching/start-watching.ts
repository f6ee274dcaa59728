import type { CommitId } from '../../contract/ids.ts';
import { isThere, makeFolder } from '../../platform/files.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { readHeads } from '../../git/refs.ts';
import { branchPlaces, traceOf, UNSETTLED_MS } from './branch-files.ts';
import { movesBetween, movesOf, type BranchMove } from './moves-between.ts';
import { createPinQueue, type PinQueue } from './pin-queue.ts';
import { openPokeFifo, type PokeFifo } from './poke-fifo.ts';
import { installPostReceive } from './post-receive.ts';
import { readPushNotes, setPushNoteAside, type PushNote } from './push-spool.ts';
import { openRefWatches } from './ref-watches.ts';
import { newlyWatched, type Watched } from './watched-root.ts';

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
 * The watching of root repos. Three hints, one truth: the folders of branches are watched, a hook tells of a push, a
 * sweep looks at the times of files; each only makes branches be compared with what was seen. At rest no process runs.
 */
export interface Watching extends AsyncDisposable {
  /** A root repo that is new; resolves when its hook is installed and its branches were compared. */
  repoAdded(name: string): Promise<void>;
  /** Call it before the folder goes, so that its branches do not look deleted. */
  repoRemoved(name: string): void;
  /** Compares now, one repo or all; resolves when the moves are taken in, and rejects with what went wrong. */
  checkNow(repo?: string): Promise<void>;
}

const SWEEP_MS = 2_000;

/** Begins to watch; resolves when all that happened while nobody watched is taken in. */
export async function startWatching(parts: WatchingParts): Promise<Watching> {
  const watch = new RefWatch(parts);
  await watch.begin();
  return watch;
}

class RefWatch implements Watching {
  readonly #parts: WatchingParts;
  readonly #stop = new AbortController();
  readonly #watched = new Map<string, Watched>();
  readonly #pins: PinQueue;
  #fifo: PokeFifo | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(parts: WatchingParts) {
    this.#parts = parts;
    this.#pins = createPinQueue({ pushSpool: parts.layout.pushSpool, log: parts.log, signal: this.#stop.signal });
  }

  async begin(): Promise<void> {
    await makeFolder(this.#parts.layout.pushSpool, 0o700);
    await this.#openFifo();
    this.#takeNotes();
    await Promise.all(this.#parts.repos().map(async ({ name }) => this.#compareOrTell(name)));
    this.#scheduleSweep();
  }

  async repoAdded(name: string): Promise<void> {
    await this.#compareOrTell(name);
  }

  repoRemoved(name: string): void {
    this.#watched.get(name)?.watches?.[Symbol.dispose]();
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
    for (const { watches } of this.#watched.values()) watches?.[Symbol.dispose]();
    await Promise.all(
      [...this.#watched.values()].map(async ({ running, next }) => Promise.allSettled([running, next])),
    );
    await this.#pins.settled();
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
      const notes = readPushNotes(layout.pushSpool, this.#pins.taken);
      const folders = new Map(this.#parts.repos().map(({ name, rootFolder }) => [name, rootFolder]));
      const moves = notes.flatMap(({ repo, refs }) =>
        this.#movesOf(
          repo,
          folders.get(repo),
          refs.map(({ branch }) => branch),
        ),
      );
      const unique = [...new Map(moves.map((move) => [`${move.repo} ${move.branch}`, move])).values()];
      this.#tell(unique);
      for (const note of notes) this.#settleNote(note, folders.get(note.repo));
    } catch (error) {
      // The notes are still there, and the sweep compares all the same.
      log.warn({ err: error }, 'pushes were not taken in; they will be with the next sweep');
      for (const watched of this.#watched.values()) watched.trace = undefined;
    }
  }

  #movesOf(repo: string, rootFolder: string | undefined, branches: Iterable<string>): BranchMove[] {
    const reported = this.#watched.get(repo)?.reported ?? new Map<string, CommitId>();
    return rootFolder === undefined
      ? []
      : movesOf(branches, { repo, rootFolder, seen: this.#parts.seen(repo), reported });
  }

  #tell(moves: BranchMove[]): void {
    if (moves.length > 0) this.#parts.onMoves(moves);
    for (const { repo, branch, to } of moves) {
      // A branch that is gone is news when it comes again at the same commit.
      if (to === null) this.#watched.get(repo)?.reported.delete(branch);
      else this.#watched.get(repo)?.reported.set(branch, to);
    }
  }

  /** The shortest way, with a file system that tells of changes: what it tells at one time is compared in one go. */
  #hint(repo: string, watched: Watched, branch: string): void {
    if (watched.hinted.size === 0) setImmediate(() => this.#takeHints(repo, watched));
    watched.hinted.add(branch);
  }

  #takeHints(repo: string, watched: Watched): void {
    const branches = [...watched.hinted];
    watched.hinted.clear();
    if (this.#stop.signal.aborted || this.#watched.get(repo) !== watched) return;
    try {
      const rootFolder = this.#parts.repos().find(({ name }) => name === repo)?.rootFolder;
      const moves = this.#movesOf(repo, rootFolder, branches);
      this.#tell(moves);
      this.#pins.keep(repo, rootFolder, moves);
    } catch (error) {
      watched.trace = undefined;
      this.#parts.log.warn({ err: error, repo }, 'a push was not taken in; it will be with the next sweep');
    }
  }

  #settleNote(note: PushNote, rootFolder: string | undefined): void {
    const { layout, log } = this.#parts;
    if (note.isBroken) {
      setPushNoteAside(layout.pushSpool, note.file);
      log.warn({ file: note.file }, 'a file in the spool of pushes is none of a hook; it is set aside');
      return;
    }
    this.#pins.keepNote(note, rootFolder);
  }

  /** At most one comparison of a repo runs and one waits, which began after everything that was asked for by then. */
  async #compareSoon(name: string): Promise<void> {
    const watched = this.#watched.get(name) ?? newlyWatched();
    this.#watched.set(name, watched);
    if (watched.running !== undefined) {
      // It begins whether or not the one before it failed.
      watched.next ??= watched.running
        .catch(() => undefined)
        .then(async () => watched.running ?? this.#run(name, watched));
      return watched.next;
    }
    return this.#run(name, watched);
  }

  async #run(name: string, watched: Watched): Promise<void> {
    watched.next = undefined;
    const work = this.#compare(name, watched).catch((error: unknown) => {
      watched.trace = undefined;
      throw error;
    });
    watched.running = work.finally(() => {
      watched.running = undefined;
    });
    return watched.running;
  }

  async #compareOrTell(name: string): Promise<void> {
    try {
      await this.#compareSoon(name);
    } catch (error) {
      if (!this.#stop.signal.aborted)
        this.#parts.log.warn({ err: error, repo: name }, 'the branches of a root repo could not be compared');
    }
  }

  async #compare(name: string, watched: Watched): Promise<void> {
    const rootFolder = this.#parts.repos().find((repo) => repo.name === name)?.rootFolder;
    if (rootFolder === undefined || !(await isThere(rootFolder))) return;
    const { isMissing: isInstalled } = await installPostReceive(rootFolder, name, this.#parts.layout);
    if (isInstalled && watched.looks !== undefined)
      this.#parts.log.warn({ repo: name }, 'the post-receive hook was gone or changed; it is back');
    const { folders, files } = await branchPlaces(rootFolder);
    if (this.#stop.signal.aborted || this.#watched.get(name) !== watched) return;
    watched.watches ??= openRefWatches(rootFolder, {
      branch: (branch) => this.#hint(name, watched, branch),
      folder: () => void this.#compareOrTell(name),
    });
    watched.watches.keep(folders);
    watched.places = [...folders, ...files];
    const trace = await traceOf(watched.places);
    if (watched.looks?.text !== trace.text) watched.looks = { text: trace.text, sinceMs: performance.now() };
    const isSettled = trace.isSettled || performance.now() - watched.looks.sinceMs > UNSETTLED_MS;
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
    this.#tell(moves);
    watched.reported = heads;
    watched.trace = isSettled ? trace : undefined;
    this.#pins.keep(name, rootFolder, moves);
  }

  #scheduleSweep(): void {
    this.#timer = setTimeout(() => {
      this.#sweeping = this.#sweep().finally(() => {
        if (!this.#stop.signal.aborted) this.#scheduleSweep();
      });
    }, this.#parts.sweepMs ?? SWEEP_MS).unref();
  }

  async #sweep(): Promise<void> {
    try {
      if (this.#fifo?.isUsable() !== true) await this.#openFifo();
      this.#pins.sweep();
      this.#takeNotes();
      await Promise.all(this.#parts.repos().map(async ({ name }) => this.#sweepRepo(name)));
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#parts.log.warn({ err: error }, 'a sweep over the root repos failed');
    }
  }

  async #sweepRepo(name: string): Promise<void> {
    const watched = this.#watched.get(name);
    if (watched?.trace !== undefined && (await traceOf(watched.places)).text === watched.trace.text) return;
    await this.#compareOrTell(name);
  }
}
