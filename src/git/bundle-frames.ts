import { mkdtemp, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fault } from '../contract/faults.ts';
import type { CommitId, RepoName } from '../contract/ids.ts';
import { commitPattern, isRepoName } from '../contract/name-patterns.ts';
import { FRAMES_END, JOINED, LEFT_IN_FOLDER } from './collect-script.ts';

/** What came out of one worktree. The file is the reader's to delete. */
export interface BundleFrame {
  readonly repo: RepoName;
  /** Null if the attempt made no commit. */
  readonly head: CommitId | null;
  /** A commit of what was not committed, or what `joined` says; null if there was none. */
  readonly leftover: CommitId | null;
  /** There if `leftover` joins other branches, stashes and the like: the commit of what was uncommitted, if any was. */
  readonly joined?: { readonly uncommitted: CommitId | null };
  /** Null if there is nothing that the root repo lacks. */
  readonly bundleFile: string | null;
  /** True if the worktree holds something that commits cannot hold. */
  readonly leftInFolder?: true;
}

const LINE_LIMIT_BYTES = 400;
const BUNDLE_LIMIT_BYTES = 2 * 1024 * 1024 * 1024;
const REPO_LIMIT = 200;

/**
 * Reads the frames that a collect script prints and puts each bundle into a file in `folder`. What comes is not
 * trusted: names, commits and sizes are checked, a repo comes once. Fault GIT_FAILED if the stream is anything else or
 * breaks off.
 */
export async function* openBundleFrames(
  stream: AsyncIterable<Uint8Array>,
  options: { readonly folder?: string; readonly limitBytes?: number } = {},
): AsyncGenerator<BundleFrame, void, undefined> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'takt-bundles-')));
  const reader = new ByteReader(stream);
  const seen = new Set<string>();
  for (;;) {
    const line = await reader.line();
    if (line === FRAMES_END) return;
    const [word, name, head, leftover, size, ...more] = line.split(' ');
    // The schemas are not loaded here: the end of every attempt would wait for them.
    const repo = isRepoName(name ?? '') ? (name as RepoName) : undefined;
    if (word !== 'takt-out' || repo === undefined || !/^\d{1,12}$/.test(size ?? ''))
      throw broken('holds an unknown line');
    if (seen.has(repo) || seen.size >= REPO_LIMIT) throw broken(`names ${repo} twice`);
    seen.add(repo);
    const bytes = Number(size);
    if (bytes > (options.limitBytes ?? BUNDLE_LIMIT_BYTES))
      throw broken(`has ${bytes} bytes of ${repo}, which is more than may be`);
    let bundleFile: string | null = null;
    if (bytes > 0) {
      bundleFile = join(folder, `${repo}.bundle`);
      await reader.copy(bytes, bundleFile);
    }
    yield {
      repo,
      head: commitOrNone(head),
      leftover: commitOrNone(leftover),
      bundleFile,
      ...restOf(more),
    };
  }
}

function restOf(words: readonly string[]): Pick<BundleFrame, 'joined' | 'leftInFolder'> {
  const left = words.filter((word) => word === LEFT_IN_FOLDER);
  const joined = words.filter((word) => word.startsWith(JOINED));
  if (left.length + joined.length < words.length || joined.length > 1) throw broken('holds an unknown line');
  return {
    ...(joined[0] === undefined ? {} : { joined: { uncommitted: commitOrNone(joined[0].slice(JOINED.length)) } }),
    ...(left.length === 0 ? {} : { leftInFolder: true }),
  };
}

function commitOrNone(word: string | undefined): CommitId | null {
  if (word === '-') return null;
  if (word === undefined || !commitPattern.test(word)) throw broken('holds something that is no commit');
  return word as CommitId;
}

function broken(how: string): Fault {
  return new Fault('GIT_FAILED', `What came out of the worktrees ${how}.`, {
    hint: 'The files are still in the run’s folder.',
  });
}

/** Takes a stream of bytes apart into lines and stretches of known length. */
class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.#buffer.indexOf(0x0a);
      if (end >= 0) {
        const line = this.#buffer.subarray(0, end).toString('utf8');
        this.#buffer = this.#buffer.subarray(end + 1);
        return line;
      }
      if (this.#buffer.length > LINE_LIMIT_BYTES) throw broken('holds an unknown line');
      await this.#more();
    }
  }

  async copy(bytes: number, path: string): Promise<void> {
    const file = await open(path, 'wx', 0o600);
    try {
      let left = bytes;
      while (left > 0) {
        if (this.#buffer.length === 0) await this.#more();
        const part = this.#buffer.subarray(0, left);
        await file.writeFile(part);
        this.#buffer = this.#buffer.subarray(part.length);
        left -= part.length;
      }
    } finally {
      await file.close();
    }
  }

  async #more(): Promise<void> {
    const next = await this.#chunks.next();
    if (next.done === true) throw broken('breaks off');
    this.#buffer = Buffer.concat([this.#buffer, next.value]);
  }
}
