import { git, gitResult, linesOf } from './git.ts';
import type { NormalClone } from './normal-clone.ts';
import { progressReader, type OnProgress } from './progress.ts';
import { readRefs, unpin } from './refs.ts';
import { type ObjectLender, UPSTREAM_REFS } from './root-repo.ts';

interface Lending {
  readonly signal: AbortSignal;
  readonly onProgress?: OnProgress;
}

const LENT_REFS = 'refs/takt/lent/clone';
const HEADS = 'refs/heads/';
const STASH = 'refs/stash';

/**
 * Lends what a clone has of a remote's branches: what came from upstream anyway, and nothing of its owner's own. git
 * reads it as it reads any upstream on this disk: no hook and no program of the clone's configuration runs, and nothing
 * is written there. `hasLent` is false if git would not read it; then all has to come from upstream.
 */
export function lenderOf(
  { gitFolder }: NormalClone,
  remote: string,
  { signal, onProgress }: Lending,
): ObjectLender & { hasLent(): boolean } {
  let hasLent = false;
  return {
    async lend(folder) {
      const spec = `+refs/remotes/${remote}/*:${LENT_REFS}/*`;
      const options = ['--progress', '--no-tags', '--no-write-fetch-head', '--no-recurse-submodules'];
      const args = ['-c', 'fetch.writeCommitGraph=false', 'fetch', ...options, '--', gitFolder, spec];
      const result = await gitResult(folder, args, {
        signal,
        onStderr: progressReader((text, percent) => onProgress?.(`${text}, from the clone`, percent)),
      });
      hasLent = result.exitCode === 0;
    },
    release: (folder) => unpin(folder, LENT_REFS, { signal }),
    hasLent: () => hasLent,
  };
}

/** What a clone holds that its owner has released nowhere. */
export interface Unreleased {
  /** The branches whose commits no branch of upstream holds. */
  readonly branches: readonly string[];
  /** The commit that is checked out without a branch, if neither upstream nor a branch of the clone holds it. */
  readonly detachedHead: string | null;
  readonly hasStashes: boolean;
}

/** What upstream lacks of a clone, as far as a root repo knows upstream. */
export async function whatUpstreamLacks(
  rootFolder: string,
  { gitFolder, detachedHead }: NormalClone,
  { signal }: { signal: AbortSignal },
): Promise<Unreleased> {
  const args = ['ls-remote', '--', gitFolder, 'refs/heads/*', STASH];
  const listed = await gitResult(rootFolder, args, { signal });
  // git does not read it, for instance since it is another user's: then nobody can say.
  if (listed.exitCode !== 0) return { branches: [], detachedHead: null, hasStashes: false };
  const refs = linesOf(listed.stdout.toString('utf8')).map((line) => {
    const [commit = '', ref = ''] = line.split('\t');
    return { ref, commit };
  });
  const branches = refs.filter(({ ref }) => ref.startsWith(HEADS));
  const isOnBranch = branches.some(({ commit }) => commit === detachedHead);
  const commits = branches.map(({ commit }) => commit);
  const asked = detachedHead === null || isOnBranch ? commits : [...commits, detachedHead];
  const lacking = await commitsUpstreamLacks(rootFolder, asked, { signal });
  return {
    branches: branches.filter(({ commit }) => lacking.has(commit)).map(({ ref }) => ref.slice(HEADS.length)),
    detachedHead: detachedHead !== null && !isOnBranch && lacking.has(detachedHead) ? detachedHead : null,
    hasStashes: refs.some(({ ref }) => ref === STASH),
  };
}

/** Of these commits those that the root repo does not have, or has without any branch of upstream that leads there. */
async function commitsUpstreamLacks(
  rootFolder: string,
  commits: readonly string[],
  { signal }: { signal: AbortSignal },
): Promise<Set<string>> {
  const theirs = new Set<string>((await readRefs(rootFolder, UPSTREAM_REFS, { signal })).values());
  const others = [...new Set(commits)].filter((commit) => !theirs.has(commit));
  if (others.length === 0) return new Set();
  const asked = await git(rootFolder, ['cat-file', '--batch-check=%(objectname)'], { signal, input: lines(others) });
  const known = others.filter((commit) => linesOf(asked).includes(commit));
  // A commit that is not reachable from theirs is itself among those that are not.
  const range = lines([...known, ...[...theirs].map((commit) => `^${commit}`)]);
  const apart = known.length === 0 ? '' : await git(rootFolder, ['rev-list', '--stdin'], { signal, input: range });
  const unreachable = new Set(linesOf(apart));
  return new Set(others.filter((commit) => !known.includes(commit) || unreachable.has(commit)));
}

const lines = (words: readonly string[]): string => words.map((word) => `${word}\n`).join('');
