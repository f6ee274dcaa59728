import { existsSync, readFileSync, type BigIntStats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CommitId } from '../../contract/ids.ts';
import { bytesOfName, diskPath, nameOfBytes } from '../../platform/byte-names.ts';

/**
 * Where a branch of a root repo stands, from git's own files: null if it is absent, undefined if these files do not
 * tell (a symbolic ref, another kind of ref storage, a repo that is being removed). Takes some 0.02 ms.
 *
 * A ref is a file of its own, or else a line in `packed-refs`. Packing writes the line before it removes the file, and
 * deleting removes the line before the file, so whoever looks at the file first and at the line next misses nothing.
 */
export function branchNow(rootFolder: string, branch: string): CommitId | null | undefined {
  if (branch.split('/').some((part) => part === '' || part.startsWith('.')) || branch.includes('\0')) return undefined;
  const loose = readIfThere(join(rootFolder, 'refs', 'heads', ...branch.split('/')));
  if (loose !== undefined) return CommitId.safeParse(loose.trimEnd()).data;
  const packed = readIfThere(join(rootFolder, 'packed-refs'));
  // A root repo has this file from its first day: without it, the repo is going away or is no such repo.
  if (packed === undefined) return undefined;
  const end = packed.indexOf(` refs/heads/${bytesOfName(branch).toString('latin1')}\n`);
  if (end >= 40) return CommitId.safeParse(packed.slice(end - 40, end)).data;
  const isRepo =
    existsSync(join(rootFolder, 'HEAD')) &&
    existsSync(join(rootFolder, 'objects')) &&
    existsSync(join(rootFolder, 'refs'));
  return isRepo ? null : undefined;
}

function readIfThere(path: string): string | undefined {
  try {
    // Whatever the bytes of names are, none of them is lost so.
    return readFileSync(diskPath(path), 'latin1');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** What is looked at to see that no branch has moved. */
export interface BranchTrace {
  /** Equal texts mean that nothing moved, if `isSettled` was true for the earlier one. */
  readonly text: string;
  /** False if something was written so lately that one more change might not show in the times of files. */
  readonly isSettled: boolean;
}

/** File systems stamp with a clock that ticks every 4 to 10 ms. */
export const UNSETTLED_MS = 100;
/** So many branch files are looked at one by one, for those who write into them in place; git never does. */
const FILES_LOOKED_AT = 100;

/** Where branches are kept: folders, and files, not all of the branches' own; and the hook that tells of pushes. */
export async function branchPlaces(rootFolder: string): Promise<{ folders: string[]; files: string[] }> {
  const folders = [join(rootFolder, 'refs', 'heads')];
  const files: string[] = [];
  for (const folder of folders) {
    for (const entry of await entriesOf(folder)) {
      const path = join(folder, nameOfBytes(entry.name));
      if (entry.isDirectory()) folders.push(path);
      else if (files.length < FILES_LOOKED_AT) files.push(path);
    }
  }
  const others = ['packed-refs', join('reftable', 'tables.list'), join('hooks', 'post-receive')];
  return { folders, files: [...others.map((name) => join(rootFolder, name)), ...files] };
}

/** Looks at the times of places; starts nothing. */
export async function traceOf(places: readonly string[]): Promise<BranchTrace> {
  const facts = await Promise.all(places.map(statIfThere));
  const newestMs = Math.max(0, ...facts.map((fact) => Number((fact?.mtimeNs ?? 0n) / 1_000_000n)));
  const text = facts
    .map((fact) => (fact === undefined ? '-' : `${fact.ino}:${fact.mode}:${fact.size}:${fact.mtimeNs}`))
    .join(' ');
  return { text, isSettled: newestMs < Date.now() - UNSETTLED_MS };
}

async function statIfThere(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(diskPath(path), { bigint: true });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

async function entriesOf(folder: string): Promise<{ name: Buffer; isDirectory(): boolean }[]> {
  try {
    return await readdir(diskPath(folder), { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
