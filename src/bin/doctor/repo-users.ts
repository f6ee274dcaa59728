import { readFileSync } from 'node:fs';
import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** Codes of a process that ended meanwhile. */
const GONE = ['ENOENT', 'ESRCH'];
const WORDS_LIMIT = 200;
/** Variables in which git is told where a repository is. */
const PLACES = /^(GIT_DIR|GIT_COMMON_DIR|GIT_OBJECT_DIRECTORY|GIT_WORK_TREE|PWD)=/;

/** A process that may be at work in a repository. */
export interface RepoUser {
  readonly pid: number;
  readonly program: string;
}

/**
 * The processes that may be at work in a folder of a repository, this one left out. Any program counts that stands or
 * has a file open below it, since not only git's own take its locks. git closes a lock file before it gives the lock up,
 * so that of git's programs what their commands name counts as well, and one that nobody may look into; of all programs
 * that would be too much, since every machine has some. The kernel tells real paths, while a command may name the folder
 * by a link.
 */
export async function usersOfRepo(folder: string): Promise<RepoUser[]> {
  const folders = [...new Set([folder, await realpath(folder)])];
  const users: RepoUser[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const program = programOf(pid);
    if (Number(pid) !== process.pid && (await mayUse(pid, isGit(program), folders)))
      users.push({ pid: Number(pid), program });
  }
  return users;
}

function programOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch (error) {
    if (GONE.includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}

/** Git's own programs are called `git` or `git-…`. */
const isGit = (program: string): boolean => /^git(-|$)/.test(program);

async function mayUse(pid: string, ofGit: boolean, folders: readonly string[]): Promise<boolean> {
  try {
    const cwd = await readlink(`/proc/${pid}/cwd`);
    if (isWithin(cwd, folders) || (await hasOpen(pid, folders))) return true;
    return ofGit && (await isNamed(pid, cwd, folders));
  } catch (error) {
    if (GONE.includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    return ofGit;
  }
}

const isWithin = (path: string, folders: readonly string[]): boolean =>
  folders.some((folder) => `${path}/`.startsWith(`${folder}/`));

async function hasOpen(pid: string, folders: readonly string[]): Promise<boolean> {
  const files = `/proc/${pid}/fd`;
  for (const file of await readdir(files)) {
    const target = await readlink(join(files, file)).catch((error: NodeJS.ErrnoException) => {
      // Closed since.
      if (GONE.includes(error.code ?? '')) return '';
      throw error;
    });
    if (isWithin(target, folders)) return true;
  }
  return false;
}

/** True if a word of the command, or a variable, leads below one of the folders. */
async function isNamed(pid: string, cwd: string, folders: readonly string[]): Promise<boolean> {
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
  const variables = (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0');
  const texts = [...words, ...variables];
  if (texts.some((text) => folders.some((folder) => text.includes(folder)))) return true;
  const named = [...words, ...variables.filter((text) => PLACES.test(text))]
    .map((text) => (/^[\w-]+=/.test(text) ? text.slice(text.indexOf('=') + 1) : text))
    .filter((text) => text !== '');
  for (const text of named.slice(0, WORDS_LIMIT)) {
    // Most words are no paths at all.
    const real = await realpath(resolve(cwd, text)).catch(() => '');
    if (isWithin(real, folders)) return true;
  }
  return false;
}
