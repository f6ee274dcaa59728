import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Fault } from '../contract/faults.ts';
import type { RepoOutcome } from '../contract/run.ts';
import { openBundleFrames } from '../git/bundle-frames.ts';
import { collectScript } from '../git/collect-script.ts';
import type { WalledDesk } from './attempt-desk.ts';
import { runOwnScript } from './own-script.ts';

/** What came out; with a fault if that is not all. */
export interface Collected {
  readonly repos: RepoOutcome[];
  readonly fault: Fault | null;
}

/**
 * The last act of an attempt: takes its commits out of the worktrees into the root repos, under the attempt's own refs.
 * What is uncommitted becomes a commit on top (`commitLeftovers`), or else a commit beside it. Git runs in a confinement
 * of its own, since the worktrees' hooks and settings are the work's; only bundles come out.
 */
export async function collectWork(
  desk: WalledDesk,
  untouched: readonly RepoOutcome[],
  how: {
    readonly commitLeftovers: boolean;
    readonly message: string;
    /** Per repo, commits that the root repo has beside its start. */
    readonly known?: ReadonlyMap<string, readonly string[]>;
  },
): Promise<Collected> {
  const { request } = desk;
  if (untouched.length === 0) return { repos: [], fault: null };
  const script = collectScript(
    untouched.map(({ repo, start }) => ({ name: repo, commit: start, known: how.known?.get(repo) ?? [] })),
    { ...how, author: request.author },
  );
  const found = new Map<string, RepoOutcome>();
  let intake: Promise<Fault | null> = Promise.resolve(null);
  const { tail } = await runOwnScript(desk, script, {
    onStdout: (stream) => {
      intake = takeIn(desk, stream, found);
      return intake;
    },
  });
  const fault = await intake;
  const missing = untouched.filter(({ repo }) => !found.has(repo)).map(({ repo }) => repo);
  return { repos: untouched.map((repo) => found.get(repo.repo) ?? repo), fault: fault ?? faultOf(missing, tail) };
}

function faultOf(missing: readonly string[], detail: string): Fault | null {
  return missing.length === 0
    ? null
    : new Fault('GIT_FAILED', `The commits could not be taken out of ${missing.join(', ')}.`, { detail });
}

/** Takes in bundle after bundle while the script goes on; what came before a fault is in `found`. */
async function takeIn(
  { request, folder, output, signal }: WalledDesk,
  stream: Readable,
  found: Map<string, RepoOutcome>,
): Promise<Fault | null> {
  const bundles = join(folder, 'bundles');
  mkdirSync(bundles, { recursive: true });
  try {
    for await (const frame of openBundleFrames(stream, { folder: bundles })) {
      const { repo, head, leftover, joined, bundleFile, leftInFolder } = frame;
      const place = request.repos.find(({ name, role }) => name === repo && role === 'edit');
      if (place === undefined)
        return new Fault('GIT_FAILED', `Commits came out for ${repo}, which is not to be edited.`);
      if (head !== null || leftover !== null) {
        const { takeInBundle } = await import('../git/take-in-bundle.ts');
        await takeInBundle({
          rootFolder: place.rootFolder,
          bundleFile,
          run: request.run,
          attempt: request.attempt,
          head,
          leftover,
          signal,
        });
      }
      if (bundleFile !== null) await rm(bundleFile);
      if (leftInFolder === true) output.note(`${repo} holds more than commits can, which stays in the run’s folder.`);
      found.set(repo, {
        repo,
        start: place.commit,
        head,
        leftover,
        ...(joined === undefined ? {} : { joined }),
        ...(leftInFolder === undefined ? {} : { leftInFolder }),
      });
    }
    return null;
  } catch (error) {
    // The script would wait for somebody to read on.
    stream.destroy();
    return faultFrom(error);
  }
}

/** Nobody waits yet when this happens, so that it may not be thrown. */
function faultFrom(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new Fault('DISK_FULL', 'The disk has no room for the commits.', { cause: error });
  return new Fault('GIT_FAILED', `The commits could not be taken in: ${message}`, { cause: error });
}
