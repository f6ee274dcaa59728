import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanText } from '../../cli/clean-text.ts';
import { openConfig } from '../../config/config-source.ts';
import { didYouMean } from '../../config/did-you-mean.ts';
import { Fault } from '../../contract/faults.ts';
import { isRepoName } from '../../contract/name-patterns.ts';
import { isThere } from '../../platform/files.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { isOfTheDisk } from './why-unreadable.ts';

/** What lies among the root repos now, whole ones, in order. */
export interface RootsNow {
  /** The names of the repos; of those that are named if any are. */
  readonly repos: readonly string[];
  /** Folders of git's that are no repos of takt's by their names, such as a copy of one; only if no repo is named. */
  readonly strays: readonly string[];
}

export async function rootsNow(layout: HomeLayout, named: readonly string[]): Promise<RootsNow> {
  const names = await namesIn(layout.roots);
  const wanted = names.filter((name) => !name.startsWith('.') && (named.length === 0 || named.includes(name)));
  const whole = await Promise.all(wanted.map(async (name) => isThereOrUnknown(join(layout.root(name), 'HEAD'))));
  const there = wanted.filter((_, index) => whole[index]).toSorted();
  return { repos: there.filter(isRepoName), strays: there.filter((name) => !isRepoName(name)) };
}

export const strayNote = (name: string): string =>
  `the folder ${cleanText(JSON.stringify(name))} in root/ is left out, since that is no name of a repo`;

/** What may not be looked at counts as there; whoever reads it then says why it cannot be read. */
async function isThereOrUnknown(path: string): Promise<boolean> {
  try {
    return await isThere(path);
  } catch (error) {
    if (isOfTheDisk(error)) return true;
    throw error;
  }
}

/** Fault REPO_NOT_FOUND, with the nearest name, for one that is neither mirrored nor listed to be. */
export async function refuseUnknown(layout: HomeLayout, named: readonly string[]): Promise<void> {
  const { repos: roots } = await rootsNow(layout, []);
  const missing = named.filter((name) => !roots.includes(name));
  if (missing.length === 0) return;
  const listed = openConfig(layout)
    .repos()
    .map(({ name }) => String(name));
  const unknown = missing.find((name) => !listed.includes(name));
  if (unknown === undefined) return;
  throw new Fault('REPO_NOT_FOUND', `No repo is called ${unknown}.${didYouMean(unknown, [...roots, ...listed])}`);
}

/** What tells a root repo from one that took its place; undefined if there is none. */
export async function identityOf(rootFolder: string): Promise<number | undefined> {
  try {
    return (await lstat(rootFolder)).ino;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
