import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BytePath, pathsIn } from './byte-paths.ts';
import type { CloneView } from './clone-view.ts';
import { forgetPromises } from './hidden-changes.ts';
import { commitEnvironment } from './history.ts';
import type { Person } from './person.ts';

interface Changed {
  readonly folder: string;
  readonly branch: string;
  readonly author: Person;
  readonly signal: AbortSignal;
}

/** git names the tree without entries so (gitglossary(7), and `git hash-object -t tree /dev/null`). */
const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

/**
 * Commits the files of a view as they are, beside the branch, and, where that is something else, what is staged. None
 * of a tree that the branch has. The view's index is that of the files afterwards.
 */
export async function commitChanges(
  view: CloneView,
  head: string | null,
  p: Changed,
): Promise<{ name: string; commit: string }[]> {
  const { signal } = p;
  const before = head === null ? EMPTY_TREE : (await view.git(['rev-parse', `${head}^{tree}`], { signal })).trim();
  const staged = await treeOfIndex(view, p);
  const files = await treeOfFiles(view, p);
  const commits: { name: string; commit: string }[] = [];
  if (files !== before) commits.push({ name: 'uncommitted', commit: await commitTree(view, files, head, p) });
  if (staged !== before && staged !== files)
    commits.push({ name: 'staged', commit: await commitTree(view, staged, head, p) });
  return commits;
}

/** Without what is in conflict, of which git makes no tree: that has the sides of commits. */
async function treeOfIndex(view: CloneView, { signal }: Changed): Promise<string> {
  const index = join(view.gitFolder, 'index-staged');
  const more = { GIT_INDEX_FILE: index };
  // Sparse parts become whole in a tree all the same; a clone without an index has nothing staged.
  await view.git(['update-index', '--force-write-index'], { signal });
  await copyFile(view.index, index);
  const unmerged = pathsIn(await view.git(['ls-files', '--unmerged', '-z'], { signal, encoding: 'latin1', more }));
  const paths = new Set(unmerged.map((line) => line.slice(line.indexOf('\t') + 1)));
  const input = asInput([...paths]);
  if (paths.size > 0) await view.git(['update-index', '--force-remove', '-z', '--stdin'], { signal, input, more });
  return (await view.git(['write-tree'], { signal, more })).trim();
}

/** But for repositories within: git would make submodules of them. */
async function treeOfFiles(view: CloneView, p: Changed): Promise<string> {
  const { signal } = p;
  await forgetPromises(view, p);
  // `--sparse`, since somebody may have changed what a sparse checkout leaves out as well.
  await view.git(['add', '--update', '--sparse', '--ignore-errors', '--', '.'], { signal, okCodes: [0, 1] });
  const args = ['ls-files', '--others', '--exclude-standard', '-z'];
  const untracked = pathsIn(await view.git(args, { signal, encoding: 'latin1' }));
  const input = asInput(untracked.filter((path) => !path.endsWith('/')));
  await view.git(['update-index', '--add', '-z', '--stdin'], { signal, input });
  return (await view.git(['write-tree'], { signal })).trim();
}

const asInput = (paths: readonly BytePath[]): Buffer =>
  Buffer.from(paths.map((path) => `${path}\0`).join(''), 'latin1');

async function commitTree(
  view: CloneView,
  tree: string,
  head: string | null,
  { branch, author, signal }: Changed,
): Promise<string> {
  const parent = head === null ? [] : ['-p', head];
  const input = `Uncommitted work on ${branch}\n\nPinned by takt before the clone was deleted.\n`;
  return (
    await view.git(['commit-tree', tree, ...parent, '-F', '-'], { signal, input, more: commitEnvironment(author) })
  ).trim();
}
