import { type AttemptRepo, upstreamRef } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';
import type { CommitId } from '../contract/ids.ts';
import { fetchBranch, upstreamName } from '../git/fetch-branch.ts';
import { gitEnvironment } from '../git/git.ts';
import { countApart } from '../git/history.ts';
import { severalAtATime } from '../platform/several-at-a-time.ts';
import type { AttemptDesk } from './attempt-desk.ts';
import { linesWithoutProgress } from './whole-lines.ts';

/** Where upstream's default branch of one repo is now, or why that is not known. */
export type FetchedUpstream =
  | { readonly repo: AttemptRepo; readonly theirs: CommitId }
  | { readonly repo: AttemptRepo; readonly fault: Fault };

const AT_ONCE = 4;

/**
 * Fetches the default branch of each repo's upstream, outside the walls and with the operator's own credentials, into a
 * ref of the attempt's own. All are tried, so that the operator hears of every one that cannot be reached. Ends early
 * when the signal does.
 */
export async function fetchUpstreams(
  desk: AttemptDesk,
  repos: readonly AttemptRepo[],
  touch: () => void,
): Promise<FetchedUpstream[]> {
  const { env } = gitEnvironment(process.env, { interactive: false });
  return severalAtATime(repos, { limit: AT_ONCE, signal: desk.signal }, async (repo, signal) => {
    try {
      return { repo, theirs: await fetchOne({ ...desk, signal }, repo, { env, touch }) };
    } catch (error) {
      if (signal.aborted || !(error instanceof Fault)) throw error;
      // git's own words are in the output already.
      desk.output.note(`${repo.name}: ${error.message} ${error.hint}`);
      return { repo, fault: error };
    }
  });
}

async function fetchOne(
  { request, output, signal }: AttemptDesk,
  repo: AttemptRepo,
  { env, touch }: { env: Readonly<Record<string, string>>; touch: () => void },
): Promise<CommitId> {
  const { name, rootFolder, upstream, defaultBranch } = repo;
  output.note(`${name}: fetching ${defaultBranch} of ${upstreamName(upstream)}`);
  const ref = upstreamRef(request.run, request.attempt);
  const print = linesWithoutProgress((text) => {
    // Where takt keeps it says nothing to people.
    if (!text.includes(ref)) output.write({ kind: 'stderr', atMs: Date.now(), text: `${name}: ${text}` });
  });
  const theirs = await fetchBranch({
    rootFolder,
    upstream,
    branch: defaultBranch,
    ref,
    env,
    signal,
    onStderr: (chunk) => {
      // A long transfer prints one line that it writes over and over.
      touch();
      print(chunk);
    },
  });
  const { right: toMerge } = await countApart(rootFolder, repo.commit, theirs, { signal });
  const what = toMerge === 0 ? 'nothing' : toMerge === 1 ? 'one commit' : `${toMerge} commits`;
  output.note(`${name}: ${defaultBranch} is at ${theirs.slice(0, 12)}, with ${what} to merge`);
  return theirs;
}
