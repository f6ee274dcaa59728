import type { FSWatcher } from 'node:fs';
import { Fault } from '../../contract/faults.ts';
import type { CommitId } from '../../contract/ids.ts';
import { readHeads } from '../../git/refs.ts';
import { isThere } from '../../platform/files.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { branchNow, branchPlaces, traceOf, UNSETTLED_MS } from '../../service/watching/branch-files.ts';
import { type BranchMove, movesBetween, movesOf } from '../../service/watching/moves-between.ts';
import { openRefWatches, type RefWatches, watchIfPossible } from '../../service/watching/ref-watches.ts';
import { identityOf, rootsNow, strayNote } from './root-repos.ts';
import { isOfTheDisk, whyUnreadable } from './why-unreadable.ts';

interface WatchParts {
  readonly layout: HomeLayout;
  /** Names; none means all repos, also those that come later. */
  readonly repos: readonly string[];
  readonly everyMs: number;
  /** False: only look every so often. */
  readonly usesFileSystem: boolean;
  /** Called in the order in which moves were seen. */
  onMoves(moves: readonly BranchMove[]): void;
  /**
   * Undefined while the reader keeps up, else resolves once it does. Until then nobody looks; the next look then finds
   * from where a branch went to where it is, without the stations between.
   */
  untilRead(): Promise<void> | undefined;
  onNote(sentence: string): void;
}

/** What is known of one root repo. */
interface KnownRoot {
  readonly identity: number;
  /** Undefined until they are listed for the first time: then nothing is news yet. */
  heads: Map<string, CommitId> | undefined;
  places: string[];
  /** How its files looked before its branches were read; undefined asks for another look. */
  trace: string | undefined;
  looks: { readonly text: string; readonly sinceMs: number } | undefined;
  watches: RefWatches | undefined;
  /** False after a look in vain, which was told of. What was seen before still counts. */
  isReadable: boolean;
}

/** A watch over the branches of root repos that only reads: no hook, no process where nothing changes. */
export interface BranchWatch extends Disposable {
  /** How many there were when it began. */
  readonly counts: { readonly repos: number; readonly branches: number };
}

/** Begins to watch; resolves when it knows where every branch is. */
export async function startBranchWatch(parts: WatchParts, signal: AbortSignal): Promise<BranchWatch> {
  const roots = new RootsWatch(parts, signal);
  await roots.begin();
  return roots;
}

class RootsWatch implements BranchWatch {
  readonly #parts: WatchParts;
  readonly #signal: AbortSignal;
  readonly #known = new Map<string, KnownRoot>();
  /** Folders that are no repos, and were told of. */
  readonly #strays = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #rootsWatcher: FSWatcher | undefined;
  /** Nobody looks before that: what is there at the beginning is no news. */
  #hasBegun = false;
  #isLooking = false;
  #isLookDue = false;
  #isDisposed = false;
  #hasFailed = false;

  constructor(parts: WatchParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
  }

  get counts(): BranchWatch['counts'] {
    const branches = [...this.#known.values()].reduce((sum, { heads }) => sum + (heads?.size ?? 0), 0);
    return { repos: this.#known.size, branches };
  }

  async begin(): Promise<void> {
    for (const name of await this.#rootsNow()) await this.#take(name, { isNew: false });
    if (this.#parts.usesFileSystem && (await isThere(this.#parts.layout.roots)))
      this.#rootsWatcher = watchIfPossible(this.#parts.layout.roots, () => void this.#look());
    this.#rootsWatcher?.on('error', () => this.#rootsWatcher?.close());
    this.#hasBegun = true;
    this.#schedule();
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
    this.#rootsWatcher?.close();
    for (const { watches } of this.#known.values()) watches?.[Symbol.dispose]();
  }

  get #isOver(): boolean {
    return this.#isDisposed || this.#signal.aborted;
  }

  #schedule(): void {
    if (!this.#isOver) this.#timer = setTimeout(() => void this.#look(), this.#parts.everyMs);
  }

  /** One look at a time; whoever asks meanwhile gets one more. */
  async #look(): Promise<void> {
    this.#isLookDue = true;
    if (!this.#hasBegun || this.#isLooking || this.#isOver) return;
    this.#isLooking = true;
    clearTimeout(this.#timer);
    try {
      while (this.#isLookDue && !this.#isOver) {
        await this.#parts.untilRead();
        this.#isLookDue = false;
        await this.#lookAtAll();
      }
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#isOver && !this.#hasFailed)
        this.#parts.onNote(`looking is tried again and again: ${(error as Error).message}`);
      this.#hasFailed = true;
    } finally {
      this.#isLooking = false;
      this.#schedule();
    }
  }

  async #lookAtAll(): Promise<void> {
    const { layout, onNote } = this.#parts;
    const names = await this.#rootsNow();
    for (const name of this.#known.keys()) {
      if (names.includes(name) && (await identityOf(layout.root(name))) === this.#known.get(name)?.identity) continue;
      this.#known.get(name)?.watches?.[Symbol.dispose]();
      this.#known.delete(name);
      onNote(`the repo ${name} is gone`);
    }
    for (const name of names) {
      if (this.#isOver) return;
      const known = this.#known.get(name);
      if (known === undefined) await this.#take(name, { isNew: true });
      else if (known.trace === undefined || (await traceOf(known.places)).text !== known.trace)
        await this.#compareOrNote(name, known);
    }
  }

  async #rootsNow(): Promise<readonly string[]> {
    const { repos, strays } = await rootsNow(this.#parts.layout, this.#parts.repos);
    for (const name of strays) if (!this.#strays.has(name)) this.#parts.onNote(strayNote(name));
    for (const name of strays) this.#strays.add(name);
    return repos;
  }

  /** The branches of a repo that came while watching are news; those of one that was there are where it begins. */
  async #take(name: string, { isNew }: { isNew: boolean }): Promise<void> {
    const identity = await identityOf(this.#parts.layout.root(name));
    if (identity === undefined) return;
    const known: KnownRoot = {
      identity,
      heads: isNew ? new Map() : undefined,
      places: [],
      trace: undefined,
      looks: undefined,
      watches: undefined,
      isReadable: true,
    };
    this.#known.set(name, known);
    if (isNew) this.#parts.onNote(`the repo ${name} is watched too`);
    await this.#compareOrNote(name, known);
  }

  /** A repo that cannot be read is told of once, and makes nobody blind for the others. */
  async #compareOrNote(name: string, known: KnownRoot): Promise<void> {
    try {
      await this.#compare(name, known);
    } catch (error) {
      this.#signal.throwIfAborted();
      const why = whyUnreadable(error);
      known.trace = undefined;
      if (known.isReadable && !this.#isDisposed) this.#parts.onNote(`the repo ${name} cannot be read: ${why}`);
      known.isReadable = false;
    }
  }

  async #compare(name: string, known: KnownRoot): Promise<void> {
    const rootFolder = this.#parts.layout.root(name);
    const { folders, files } = await branchPlaces(rootFolder);
    this.#watchFolders(name, known, folders);
    known.places = [...folders, ...files];
    const trace = await traceOf(known.places);
    if (known.looks?.text !== trace.text) known.looks = { text: trace.text, sinceMs: performance.now() };
    const isSettled = trace.isSettled || performance.now() - known.looks.sinceMs > UNSETTLED_MS;
    const listed = await this.#list(rootFolder, known);
    if (listed === undefined || this.#isOver) return;
    if (!known.isReadable) this.#parts.onNote(`the repo ${name} can be read again`);
    known.isReadable = true;
    known.trace = isSettled ? trace.text : undefined;
    known.heads ??= listed;
    const moves = movesBetween({ repo: name, rootFolder, heads: listed, seen: known.heads, reported: new Map() });
    // One that came and went while git listed was told of already.
    this.#tell(
      known,
      moves.filter(({ from, branch }) => from !== null || branchNow(rootFolder, branch) !== null),
    );
  }

  /** Undefined for a repo that was removed meanwhile: what is left of it is no deletion of branches. */
  async #list(rootFolder: string, known: KnownRoot): Promise<Map<string, CommitId> | undefined> {
    const isSame = async (): Promise<boolean> => (await identityOf(rootFolder)) === known.identity;
    try {
      const heads = await readHeads(rootFolder, { signal: this.#signal });
      return (await isSame()) ? heads : undefined;
    } catch (error) {
      this.#signal.throwIfAborted();
      if (error instanceof Fault && !(await isSame())) return undefined;
      throw error;
    }
  }

  #watchFolders(name: string, known: KnownRoot, folders: readonly string[]): void {
    if (!this.#parts.usesFileSystem) return;
    const rootFolder = this.#parts.layout.root(name);
    known.watches ??= openRefWatches(rootFolder, {
      branch: (branch) => this.#lookAtBranch(name, known, branch),
      folder: () => void this.#look(),
    });
    known.watches.keep(folders);
  }

  /** Tells at once what a file of a branch shows; what it does not show is for git to list. */
  #lookAtBranch(name: string, known: KnownRoot, branch: string): void {
    if (known.heads === undefined || this.#known.get(name) !== known || this.#isOver) return;
    if (!known.isReadable || this.#parts.untilRead() !== undefined) return void this.#look();
    const rootFolder = this.#parts.layout.root(name);
    // A branch in whose place this one comes is gone, and that comes first.
    const inTheWay = [...known.heads.keys()].filter(
      (other) => branch.startsWith(`${other}/`) || other.startsWith(`${branch}/`),
    );
    try {
      const moves = movesOf([...inTheWay, branch], { repo: name, rootFolder, seen: known.heads, reported: new Map() });
      this.#tell(known, moves);
      if (branchNow(rootFolder, branch) === undefined) void this.#look();
    } catch (error) {
      if (!isOfTheDisk(error)) throw error;
      void this.#look();
    }
  }

  #tell(known: KnownRoot, moves: readonly BranchMove[]): void {
    for (const { branch, to } of moves) {
      if (to === null) known.heads?.delete(branch);
      else known.heads?.set(branch, to);
    }
    if (moves.length > 0) this.#parts.onMoves(moves);
  }
}
