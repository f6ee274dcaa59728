import type { Readable } from 'node:stream';
import type { AttemptRequest } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';
import type { RepoOutcome } from '../contract/run.ts';
import { COMMITTER } from '../git/history.ts';
import { collectScript, openBundleFrames, takeInBundle } from '../git/run-worktree.ts';
import type { WalledDesk } from './attempt-desk.ts';
import { runInside } from './run-inside.ts';
import { workEnvironment } from './work-environment.ts';

/** What an attempt leaves in each edit repo if it left nothing. */
export function untouchedRepos({ repos }: AttemptRequest): RepoOutcome[] {
  return repos.filter(({ role }) => role === 'edit').map(({ name, commit }) => ({ repo: name, start: commit, head: null, leftover: null }));
}

/**
 * The last act of an attempt: takes its commits out of the worktrees into the root repos, under the attempt's own refs.
 * What is uncommitted becomes a commit on top if the work passed, else a commit beside it. Git runs in a confinement
 * of its own, since the worktrees' hooks and settings are the work's; only bundles come out.
 */
export async function collectWork(desk: WalledDesk, how: { isPassed: boolean; message: string }): Promise<RepoOutcome[]> {
  const { request, signal } = desk;
  const untouched = untouchedRepos(request);
  if (untouched.length === 0) return [];
  const script = collectScript(
    untouched.map(({ repo, start }) => ({ name: repo, commit: start })),
    { commitLeftovers: how.isPassed, message: how.message, author: request.author, committer: COMMITTER },
  );
  let takenIn: Promise<Map<string, RepoOutcome>> | undefined;
  const { exitCode, tail } = await runInside({
    ...desk,
    attempt: request.attempt,
    command: ['/bin/sh', '-c', script],
    extra: { env: workEnvironment(request), cwd: request.runFolder },
    onStdout: (stream) => {
      takenIn = takeIn(desk, untouched, stream);
      // Looked at below, after the process has ended; until then a rejection is nobody's.
      takenIn.catch(() => undefined);
    },
  });
  signal.throwIfAborted();
  const found = (await takenIn) ?? new Map<string, RepoOutcome>();
  const missing = untouched.filter(({ repo }) => !found.has(repo)).map(({ repo }) => repo);
  if (exitCode !== 0 || missing.length > 0) {
    throw new Fault('GIT_FAILED', `The commits could not be taken out of ${missing.join(', ') || 'the worktrees'}.`, { detail: tail });
  }
  return untouched.map((repo) => found.get(repo.repo) ?? repo);
}

async function takeIn({ request, signal }: WalledDesk, untouched: readonly RepoOutcome[], stream: Readable): Promise<Map<string, RepoOutcome>> {
  const found = new Map<string, RepoOutcome>();
  for await (const { repo, head, leftover, bundleFile } of openBundleFrames(stream)) {
    const place = request.repos.find(({ name, role }) => name === repo && role === 'edit');
    const before = untouched.find((outcome) => outcome.repo === repo);
    if (place === undefined || before === undefined || found.has(repo)) throw new Fault('GIT_FAILED', `A bundle came out for ${repo}, which has none.`);
    if (bundleFile !== null) await takeInBundle({ rootFolder: place.rootFolder, bundleFile, run: request.run, attempt: request.attempt, head, leftover, signal });
    found.set(repo, { ...before, head, leftover });
  }
  return found;
}
