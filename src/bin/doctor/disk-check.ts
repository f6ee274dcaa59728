import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { byteSize } from '../../cli/print/figures.ts';
import { diskSpace, type DiskSpace } from '../../platform/disk-space.ts';
import { isThere } from '../../platform/files.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { type CheckResult, type CheckState, result } from './check.ts';

const DISK_NEEDED_BYTES = 200 * 1024 ** 2;
const DISK_WANTED_BYTES = 5 * 1024 ** 3;
const FILES_NEEDED = 1_000;
/** Some worktrees of a large repository. */
const FILES_WANTED = 100_000;

/** A file system, and the folders of a home that lie on it. */
interface Place {
  readonly folders: string[];
  readonly space: DiskSpace;
}

/** Room for bytes and for files, on each file system that the home reaches over, and on that of temporary files. */
export async function checkDisk(layout: HomeLayout): Promise<CheckResult> {
  const places = await placesOf(layout);
  const states = places.map(({ folders, space }) =>
    stateOf(
      space,
      folders.every((folder) => folder === tmpdir()),
    ),
  );
  const found = places.map(({ folders, space }) => `${roomIn(space)} for ${namesOf(folders, layout)}`).join('; ');
  if (states.includes('broken')) return result('disk', 'broken', found, 'Free space, or move the home.');
  return states.includes('warning')
    ? result('disk', 'warning', found, 'Runs check out whole worktrees: free some space.')
    : result('disk', 'ok', found);
}

async function placesOf(layout: HomeLayout): Promise<Place[]> {
  const { home, roots, workspaces, runs, state } = layout;
  const byDevice = new Map<number, Place>();
  for (const folder of [home, roots, workspaces, runs, state, tmpdir()]) {
    const there = await nearestThere(folder);
    const { dev } = await stat(there);
    const space = await diskSpace(there);
    const known = byDevice.get(dev);
    if (known !== undefined) known.folders.push(folder);
    else if (space !== undefined) byDevice.set(dev, { folders: [folder], space });
  }
  return [...byDevice.values()];
}

async function nearestThere(folder: string): Promise<string> {
  let there = folder;
  while (!(await isThere(there)) && dirname(there) !== there) there = dirname(there);
  return there;
}

/** Temporary files of takt are small and few. */
function stateOf({ freeBytes, freeFiles }: DiskSpace, isTemporary: boolean): CheckState {
  const files = freeFiles ?? FILES_WANTED;
  if (freeBytes < DISK_NEEDED_BYTES || files < FILES_NEEDED) return isTemporary ? 'warning' : 'broken';
  return !isTemporary && (freeBytes < DISK_WANTED_BYTES || files < FILES_WANTED) ? 'warning' : 'ok';
}

function roomIn({ freeBytes, freeFiles }: DiskSpace): string {
  return `${byteSize(freeBytes)}${freeFiles === null ? '' : ` and ${freeFiles} files`} free`;
}

function namesOf(folders: readonly string[], { home }: HomeLayout): string {
  const [first = home, ...others] = folders;
  // All of a home on one disk is the home.
  if (first === home && others.filter((folder) => folder.startsWith(join(home, '/'))).length === 4) {
    return others.includes(tmpdir()) ? `${home} and temporary files` : home;
  }
  const nameOf = (folder: string): string =>
    folder === home || !folder.startsWith(join(home, '/')) ? folder : relative(home, folder);
  return folders.map(nameOf).join(', ');
}
