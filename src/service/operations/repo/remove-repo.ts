import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removeRepoEntry } from '../../../config/edit-repos.ts';
import { Fault } from '../../../contract/faults.ts';
import type { RepoName } from '../../../contract/ids.ts';
import type { ParamsOf } from '../../../contract/operation.ts';
import type { repoRemove } from '../../../contract/operations/repo.ts';
import { isAncestor } from '../../../git/history.ts';
import { readHeads, readRefs, refCommit } from '../../../git/refs.ts';
import { FORK_REFS } from '../../../git/released-refs.ts';
import { UPSTREAM_REFS } from '../../../git/root-repo.ts';
import { isThere } from '../../../platform/files.ts';
import { deleteRoot, type Root } from '../../../store/roots.ts';
import { workspacesOfRepo } from '../../../store/workspaces.ts';
import type { Call } from '../../http/binding.ts';
import { KEPT_REFS } from '../../kept-work.ts';
import { commit, type ServiceParts } from '../../parts.ts';
import { knownRepo } from './repo-view.ts';

/** Removes a mirror that no workspace uses; what only it holds stops it, unless forced. */
export async function removeRepo(
  parts: ServiceParts,
  { repo: name, force }: ParamsOf<typeof repoRemove>,
  { signal }: Call,
): Promise<{ removed: RepoName }> {
  const { layout, locks } = parts;
  knownRepo(parts, name);
  return locks.hold({ exclusive: [`repo:${name}`, `fetch:${name}`] }, signal, async () => {
    const { root } = knownRepo(parts, name);
    const users = workspacesOfRepo(parts.database, name);
    if (users.length > 0) throw new Fault('REPO_IN_USE', `The repo ${name} is used by ${users.join(', ')}.`);
    const folder = layout.root(name);
    const held = root === undefined || force || !(await isThere(folder)) ? [] : await heldWork(folder, root, signal);
    if (held.length > 0) {
      throw new Fault('REPO_IN_USE', `The root repo ${name} holds work that upstream lacks.`, {
        hint: 'Push it first, or repeat with --force.',
        detail: held.join('\n'),
      });
    }

    await removeRepoEntry(layout.reposFile, name);
    const gone = join(layout.state, 'tmp', `removed-${name}-${Date.now()}`);
    if (await isThere(folder)) await rename(folder, gone);
    commit(parts, [{ topic: 'repo.update', data: { repo: name, change: 'removed' } }], () =>
      deleteRoot(parts.database, name),
    );
    await parts.watching.repoRemoved(name);
    await rm(gone, { recursive: true, force: true, maxRetries: 5 });
    return { removed: name };
  });
}

/** Sentences about branches and pins whose commits upstream lacks. */
async function heldWork(folder: string, root: Root, signal: AbortSignal): Promise<string[]> {
  const isReleased = async (branch: string, commitId: string): Promise<boolean> => {
    for (const ref of [UPSTREAM_REFS + branch, UPSTREAM_REFS + root.defaultBranch, FORK_REFS + branch]) {
      const theirs = await refCommit(folder, ref, { signal });
      if (theirs !== null && (await isAncestor(folder, commitId, theirs, { signal }))) return true;
    }
    return false;
  };
  const sentences: string[] = [];
  for (const [branch, commitId] of await readHeads(folder, { signal })) {
    if (!(await isReleased(branch, commitId))) sentences.push(`The branch ${branch} (${commitId.slice(0, 10)}).`);
  }
  for (const [name, commitId] of await readRefs(folder, KEPT_REFS, { signal })) {
    if (!(await isReleased('', commitId))) sentences.push(`Work kept of a deleted workspace, ${KEPT_REFS}${name}.`);
  }
  return sentences;
}
