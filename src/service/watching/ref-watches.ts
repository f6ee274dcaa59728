import { type FSWatcher, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { diskPath, nameOfBytes } from '../../platform/byte-names.ts';

/** Watches the folders that hold the branches of one root repo. Only a hint: whatever it misses, the sweep finds. */
export interface RefWatches extends Disposable {
  /** Watches these folders (absolute paths) and no others. Free where nothing changed. */
  keep(folders: readonly string[]): void;
}

/** A system gives each user so many watches; folders of nested branches beyond this are left to the sweep. */
const FOLDERS_LIMIT = 100;

/** Each folder is watched for itself: on Linux a recursive watch misses files that are replaced more than once. */
export function openRefWatches(rootFolder: string, on: { branch(branch: string): void; folder(): void }): RefWatches {
  const headsFolder = join(rootFolder, 'refs', 'heads');
  const watches = new Map<string, { readonly inode: bigint; readonly watcher: FSWatcher }>();
  const stop = (folder: string): void => {
    watches.get(folder)?.watcher.close();
    watches.delete(folder);
  };
  const tell = (folder: string, event: string, name: string | null): void => {
    if (name === null) return on.folder();
    // Locks are no branches: git allows no such name.
    if (name.endsWith('.lock')) return;
    const path = join(folder, name);
    if (event === 'rename' && statSync(diskPath(path), { throwIfNoEntry: false })?.isDirectory() === true) on.folder();
    else on.branch(path.slice(headsFolder.length + 1));
  };
  const start = (folder: string): void => {
    const inode = statSync(diskPath(folder), { bigint: true, throwIfNoEntry: false })?.ino;
    if (inode === undefined || watches.get(folder)?.inode === inode) return;
    stop(folder);
    if (watches.size >= FOLDERS_LIMIT) return;
    const watcher = watchIfPossible(folder, (event, name) => tell(folder, event, name));
    watcher?.on('error', () => stop(folder));
    if (watcher !== undefined) watches.set(folder, { inode, watcher });
  };
  return {
    keep(folders) {
      const kept = new Set(folders);
      for (const folder of watches.keys()) if (!kept.has(folder)) stop(folder);
      for (const folder of folders) start(folder);
    },
    [Symbol.dispose]() {
      for (const folder of watches.keys()) stop(folder);
    },
  };
}

/** Undefined if there are no more watches on this machine, or the folder went meanwhile: the sweep is in charge then. */
export function watchIfPossible(
  folder: string,
  on: (event: string, name: string | null) => void,
): FSWatcher | undefined {
  try {
    return watch(diskPath(folder), { persistent: false, encoding: 'buffer' }, (event, name) =>
      on(event, name === null ? null : nameOfBytes(name)),
    );
  } catch (error) {
    if (['ENOSPC', 'EMFILE', 'ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}
