import { lstat, readdir } from 'node:fs/promises';

/** A path below a work tree with one character for each byte, since a name need not be UTF-8. */
export type BytePath = string;

/** Pipes and sockets are nothing: there is nothing in them to keep. */
type Kind = 'nothing' | 'folder' | 'file or link';

/** What is at a path, or the first thing on the way there that is no folder. */
export async function standingAt(folder: string, path: BytePath): Promise<{ path: BytePath; kind: Kind }> {
  for (const above of foldersAbove(path)) {
    const kind = await kindOf(at(folder, above));
    if (kind !== 'folder') return { path: above, kind };
  }
  return { path, kind: await kindOf(at(folder, path)) };
}

/** True if there is anything in a folder but what `isKnown`. */
export async function holdsMore(
  folder: string,
  path: BytePath,
  isKnown: (path: BytePath) => boolean,
): Promise<boolean> {
  for (const entry of await readdir(at(folder, path), { withFileTypes: true, encoding: 'latin1' })) {
    const inside = `${path}/${entry.name}`;
    if (entry.isDirectory() ? await holdsMore(folder, inside, isKnown) : !isKnown(inside)) return true;
  }
  return false;
}

async function kindOf(path: Buffer): Promise<Kind> {
  try {
    const facts = await lstat(path);
    if (facts.isDirectory()) return 'folder';
    return facts.isFile() || facts.isSymbolicLink() ? 'file or link' : 'nothing';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'nothing';
    throw error;
  }
}

/** The topmost first. */
export function foldersAbove(path: BytePath): BytePath[] {
  return [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index));
}

/** What git lists with `-z`. */
export const pathsIn = (listed: string): string[] => listed.split('\0').filter((path) => path !== '');
export const at = (folder: string, path: BytePath): Buffer => below(Buffer.from(folder), path);
export const below = (folder: Buffer, name: BytePath): Buffer =>
  Buffer.from(`${folder.toString('latin1')}/${name}`, 'latin1');
/** As a person reads it. */
export const asText = (path: BytePath): string => Buffer.from(path, 'latin1').toString('utf8');
