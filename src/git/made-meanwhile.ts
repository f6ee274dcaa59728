import { constants, copyFile, lstat, mkdir, readdir, readlink, symlink } from 'node:fs/promises';
import type { CommitId } from '../contract/ids.ts';
import { at, below, type BytePath, foldersAbove, holdsMore, pathsIn, standingAt } from './byte-paths.ts';
import type { CloneView } from './clone-view.ts';
import { forgetPromises } from './hidden-changes.ts';

interface CutShort {
  readonly folder: string;
  readonly old: CommitId;
  readonly new: CommitId;
  readonly signal: AbortSignal;
}

interface Comparison {
  readonly paths: ReadonlySet<BytePath>;
  /** Those where the work tree holds something else, or nothing. */
  readonly differing: ReadonlySet<BytePath>;
  /** Where only a folder can be; what is in there is not compared. */
  readonly submodules: ReadonlySet<BytePath>;
}

/**
 * What stands where a pull that was cut short has to write or remove, and is of neither commit: files, links and whole
 * folders, also where a folder has to be. The view's index is that of the old commit afterwards.
 */
export async function madeMeanwhile(view: CloneView, p: CutShort): Promise<BytePath[]> {
  await forgetPromises(view, p);
  const ofNew = await compare(view, p.new, p.signal);
  const ofOld = await compare(view, p.old, p.signal);
  const isOfOld = (path: BytePath): boolean =>
    ofOld.paths.has(path) && !ofOld.differing.has(path) && !ofOld.submodules.has(path);
  const found = new Set<BytePath>();
  for (const path of [...ofNew.differing, ...ofNew.submodules].filter((each) => !isOfOld(each))) {
    const top = await standingAt(p.folder, path);
    if (top.kind === 'file or link' && !isOfOld(top.path)) found.add(top.path);
    // git leaves a folder alone where a submodule has to be.
    if (top.kind === 'folder' && ofNew.differing.has(path) && (await holdsMore(p.folder, path, isOfOld)))
      found.add(path);
  }
  for (const path of ofOld.differing) {
    if (ofNew.paths.has(path)) continue;
    const top = await standingAt(p.folder, path);
    if (top.kind === 'file or link' && top.path === path) found.add(path);
  }
  return [...found].filter((path) => !foldersAbove(path).some((above) => found.has(above)));
}

/** Copies what is at a path, links as links and folders whole. */
export async function copyAside(folder: string, path: BytePath, aside: string): Promise<void> {
  await mkdir(at(aside, foldersAbove(path).at(-1) ?? ''), { recursive: true });
  await copyWhole(at(folder, path), at(aside, path));
}

async function copyWhole(from: Buffer, to: Buffer): Promise<void> {
  const facts = await lstat(from);
  if (facts.isFile()) await copyFile(from, to, constants.COPYFILE_FICLONE);
  else if (facts.isSymbolicLink()) await symlink(await readlink(from, { encoding: 'buffer' }), to);
  else if (facts.isDirectory()) {
    await mkdir(to);
    for (const name of await readdir(from, { encoding: 'latin1' })) await copyWhole(below(from, name), below(to, name));
  }
}

async function compare(view: CloneView, commit: CommitId, signal: AbortSignal): Promise<Comparison> {
  const list = async (...args: string[]): Promise<string[]> =>
    pathsIn(await view.git(args, { signal, encoding: 'latin1' }));
  await view.git(['read-tree', '--reset', commit], { signal });
  await view.git(['update-index', '-q', '--refresh'], { signal, okCodes: [0, 1] });
  const differing = await list('diff-files', '--name-only', '-z', '--ignore-submodules=all');
  const staged = await list('ls-files', '--stage', '-z');
  const pathOf = (line: string): BytePath => line.slice(line.indexOf('\t') + 1);
  return {
    paths: new Set(staged.map(pathOf)),
    differing: new Set(differing),
    submodules: new Set(staged.filter((line) => line.startsWith('160000 ')).map(pathOf)),
  };
}
