import { join } from 'node:path';
import type { CommitId } from '../contract/ids.ts';
import { type BytePath, holdsMore, pathsIn, standingAt } from './byte-paths.ts';
import type { CloneView } from './clone-view.ts';

interface Move {
  readonly folder: string;
  readonly from: CommitId;
  readonly to: CommitId;
  readonly signal: AbortSignal;
}

interface Added {
  readonly path: BytePath;
  readonly mode: string;
  readonly object: string;
}

const SUBMODULE = '160000';

/**
 * What stands where a clone without changes has to get new files, and is not of git's: git itself refuses to overwrite
 * untracked files, but takes ignored ones for worthless (gitignore(5)), such as an `.env`. Files that hold what they
 * become are not in the way. The view's index is that of the commit it comes from, and stays so.
 */
export async function inTheWay(view: CloneView, p: Move): Promise<BytePath[]> {
  const tracked = new Set(pathsIn(await view.git(['ls-files', '-z'], { signal: p.signal, encoding: 'latin1' })));
  const found = new Set<BytePath>();
  const files: Added[] = [];
  for (const added of await addedBetween(view, p)) {
    const { path, kind } = await standingAt(p.folder, added.path);
    if (kind === 'nothing' || tracked.has(path)) continue;
    const isInPlace = path === added.path;
    const isSubmodule = added.mode === SUBMODULE;
    if (kind === 'folder') {
      // git leaves a folder alone where a submodule has to be.
      if (!isSubmodule && (await holdsMore(p.folder, path, (inside) => tracked.has(inside)))) found.add(path);
    } else if (isInPlace && !isSubmodule) files.push(added);
    else found.add(path);
  }
  for (const path of await differing(view, files, p)) found.add(path);
  return [...found];
}

async function addedBetween(view: CloneView, { from, to, signal }: Move): Promise<Added[]> {
  const args = ['diff-tree', '-r', '-z', '--raw', '--no-renames', '--diff-filter=A', from, to];
  const words = pathsIn(await view.git(args, { signal, encoding: 'latin1' }));
  // `:000000 <mode> <zeros> <object> A`, and the path as a word of its own.
  return words.flatMap((facts, index) => {
    if (index % 2 === 1) return [];
    const [, mode = '', , object = ''] = facts.split(' ');
    return [{ path: words[index + 1]!, mode, object }];
  });
}

/** Those whose files hold something else, told by an index of nothing else, so that git reads no more than these. */
async function differing(view: CloneView, files: readonly Added[], { signal }: Move): Promise<BytePath[]> {
  if (files.length === 0) return [];
  const more = { GIT_INDEX_FILE: join(view.gitFolder, 'index-in-the-way') };
  const input = Buffer.from(files.map(({ mode, object, path }) => `${mode} ${object}\t${path}\0`).join(''), 'latin1');
  await view.git(['update-index', '-z', '--index-info'], { signal, input, more });
  await view.git(['update-index', '-q', '--refresh'], { signal, okCodes: [0, 1], more });
  return pathsIn(await view.git(['diff-files', '--name-only', '-z'], { signal, encoding: 'latin1', more }));
}
