import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

const OPEN_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const OPEN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Not there, a link, a socket, something else than a folder, or closed to us. */
const NOT_PLAIN = ['ENOENT', 'ELOOP', 'ENXIO', 'ENOTDIR', 'EACCES'];

export interface PlainFile {
  readonly content: Buffer;
  readonly mode: number;
}

/**
 * Reads a regular file of at most `limitBytes` without following a link anywhere in its absolute path, which may lead
 * through a folder where an agent works: each folder is held open, so that nobody can put a link in its place on the
 * way. Undefined if it is not that.
 */
export function readPlainFile(path: string, limitBytes: number): PlainFile | undefined {
  const parts = path.split('/').filter((part) => part !== '');
  const name = parts.pop();
  if (name === undefined) return undefined;
  let file: number;
  try {
    let folder = openSync('/', OPEN_FOLDER);
    for (const part of parts) folder = openedIn(folder, part, OPEN_FOLDER);
    file = openedIn(folder, name, OPEN_FILE);
  } catch (error) {
    if (NOT_PLAIN.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
  try {
    const facts = fstatSync(file);
    if (!facts.isFile() || facts.size > limitBytes) return undefined;
    return { content: readFileSync(file), mode: facts.mode & 0o777 };
  } finally {
    closeSync(file);
  }
}

/** Opens what lies in an open folder, which is closed then. */
function openedIn(folder: number, name: string, flags: number): number {
  try {
    return openSync(`/proc/self/fd/${folder}/${name}`, flags);
  } finally {
    closeSync(folder);
  }
}
