import { join } from 'node:path';
import { Fault } from '../contract/faults.ts';
import { isThere } from '../platform/files.ts';
import { type BytePath, pathsIn } from './byte-paths.ts';
import { changedFiles } from './clone.ts';
import { cloneObstacle, gitObstacle, readCloneRefs, readGitRefs } from './clone-files.ts';
import { openCloneView } from './clone-view.ts';
import { reposWithin, type RepoWithin } from './repos-within.ts';
import { tipsOf } from './unpushed-tips.ts';

interface Place {
  readonly folder: string;
  readonly rootFolder: string;
  readonly signal: AbortSignal;
}

/**
 * The repositories in a clone's folder that hold what is nowhere else, as far as can be seen: commits that none of its
 * own remotes has, or changed files. One that is untracked in the clone counts in any case, as an untracked file does.
 * What cannot be looked at counts, too. None for a clone that cannot.
 */
export async function reposWithWork(p: Place): Promise<Pick<RepoWithin, 'path' | 'isApart'>[]> {
  if ((await cloneObstacle(p.folder)) !== null) return [];
  const { untracked, tracked } = await knownToGit(p);
  const found = (await reposWithin(p.folder)).filter(({ path }) => !tracked.has(path));
  const isFound = new Set(found.map(({ path }) => path));
  const holding: Pick<RepoWithin, 'path' | 'isApart'>[] = untracked
    .filter((path) => !isFound.has(path))
    .map((path) => ({ path, isApart: true }));
  const seen = new Set<string>();
  // What the clone keeps of a submodule is one with its work tree, and is named by that.
  for (const repo of [...found.filter(({ workTree }) => workTree), ...found.filter(({ workTree }) => !workTree)]) {
    const gitFolder = repo.gitFolders?.own ?? repo.path;
    if (seen.has(gitFolder)) continue;
    seen.add(gitFolder);
    if (untracked.includes(repo.path) || (await holdsWork(p, repo))) holding.push(repo);
  }
  return holding.filter(({ path }) => !holding.some((other) => path.startsWith(`${other.path}/`)));
}

/** `tracked`: folders whose files the clone tracks, and which look like a bare repository, as tests have them. */
async function knownToGit(p: Place): Promise<{ untracked: BytePath[]; tracked: ReadonlySet<BytePath> }> {
  const { head } = await readCloneRefs(p.folder);
  await using view = await openCloneView({ ...p, head });
  const list = async (...args: string[]): Promise<BytePath[]> =>
    pathsIn(await view.git(['ls-files', '-z', ...args], { signal: p.signal, encoding: 'latin1' }));
  // git lists a repository as one name that ends in a slash, since it would take it for a submodule.
  const untracked = (await list('--others', '--exclude-standard')).filter((path) => path.endsWith('/'));
  const heads = await list('--', ':(glob)**/HEAD');
  return {
    untracked: untracked.map((path) => path.slice(0, -1)),
    tracked: new Set(heads.map((path) => path.slice(0, -'/HEAD'.length))),
  };
}

async function holdsWork(p: Place, { workTree, gitFolders }: RepoWithin): Promise<boolean> {
  if (gitFolders === null || (await gitObstacle(gitFolders)) !== null) return true;
  const refs = await readGitRefs(gitFolders);
  const place = { folder: workTree ?? gitFolders.own, rootFolder: p.rootFolder, gitFolders, signal: p.signal };
  // The commits of a linked work tree are among the clone's.
  const isLinked = gitFolders.own !== gitFolders.shared;
  // The tags of a clone came with it, off all branches as some are, or as all that a shallow clone of one of them has.
  const isClone = refs.remotes.size > 0 || (await isThere(join(gitFolders.shared, 'shallow')));
  const fetched = isClone
    ? [...refs.others].filter(([name]) => name.startsWith('tags/')).map(([, commit]) => commit)
    : [];
  const remotes = new Set<string>([...refs.remotes.values(), ...fetched]);
  const tips = isLinked ? [] : tipsOf(refs).filter(({ commit }) => !remotes.has(commit));
  try {
    if (tips.length > 0) {
      await using view = await openCloneView({ ...place, head: refs.head });
      const input = [...tips.map(({ commit }) => commit), ...[...remotes].map((commit) => `^${commit}`)].join('\n');
      const args = ['rev-list', '--max-count=1', '--stdin'];
      if ((await view.git(args, { signal: p.signal, input: `${input}\n` })) !== '') return true;
    }
    return workTree !== null && (await changedFiles({ ...place, head: refs.head, hidden: 'shown' })).length > 0;
  } catch (error) {
    if (error instanceof Fault && error.code === 'GIT_FAILED') return true;
    throw error;
  }
}
