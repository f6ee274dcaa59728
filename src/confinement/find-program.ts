import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';

const ALWAYS_LOOKED_IN = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'];

/** Absolute path of a program, looked for in a PATH and then where systems keep theirs; undefined if there is none. */
export function findProgram(name: string, path: string | undefined): string | undefined {
  const folders = [...(path ?? '').split(':').filter((folder) => folder.startsWith('/')), ...ALWAYS_LOOKED_IN];
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

/** Where the system itself finds a program that is started by its name alone: only in the PATH, if there is one. */
export function programInPath(name: string, path: string | undefined): string | undefined {
  if (path === undefined) return systemProgram(name);
  return path
    .split(':')
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, name))
    .find(isProgram);
}

/** Absolute path of a program where systems keep theirs, which work sees inside its walls as well. */
export function systemProgram(name: string): string | undefined {
  return findProgram(name, undefined);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch (error) {
    // Not there, or not for this user: the next folder of the PATH may have it.
    if (['ENOENT', 'EACCES', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
