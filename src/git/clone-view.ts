import { copyFile, lstat, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readUntrustedFile } from '../platform/files.ts';
import { type GitFolders, gitFoldersOf } from './clone-files.ts';
import { type ConfigValue, configValues, isYes } from './foreign-config.ts';
import { git, gitResult, quietEnvironment, type GitOptions } from './git.ts';
import { quotedPath } from './quoted-path.ts';

/** A git folder of takt's own that shows a clone's work tree. */
export interface CloneView extends AsyncDisposable {
  readonly gitFolder: string;
  /** The clone's index as a copy, which git may write; whole once it did, also if the clone's is split. */
  readonly index: string;
  /** Runs git on the work tree. `more` adds to the environment. */
  git(
    args: readonly string[],
    options: Omit<GitOptions, 'env'> & { readonly more?: Readonly<Record<string, string>> },
  ): Promise<string>;
}

interface Viewed {
  readonly folder: string;
  readonly rootFolder: string;
  /** Where they are if not in the folder's own `.git`. */
  readonly gitFolders?: GitFolders;
  readonly head: string | null;
  readonly signal: AbortSignal;
}

/** An object may be a pipe that nobody writes to, for which git waits. Large work trees on a cold disk take minutes. */
const LIMIT_MS = 300_000;
const CONFIG_LIMIT_BYTES = 1024 * 1024;
const LIST_LIMIT_BYTES = 4 * 1024 * 1024;
/** The part that a split index shares would be gone with the view. On the command line it wins over the user's settings. */
const WHOLE_INDEX = ['-c', 'core.splitIndex=false'];
/** Settings of a clone that change how its files are read, and start no program. */
const HARMLESS = new Set(
  ['autocrlf', 'eol', 'safecrlf', 'filemode', 'ignorecase', 'symlinks', 'precomposeunicode', 'trustctime', 'checkstat']
    .map((key) => `core.${key}`)
    .concat(['core.sparsecheckout', 'core.sparsecheckoutcone', 'index.sparse']),
);

/**
 * Opens a view of a clone whose folder may have been written by an agent.
 *
 * *Why*: a planted `.git/config` names programs (file system monitors, filters, hooks, diff drivers) that git starts on
 * a plain `status`. So git never gets that folder as its own. It gets a fresh one with HEAD as we read it, the clone's
 * objects to borrow, and of the clone's settings only those that are known to be harmless.
 */
export async function openCloneView(p: Viewed): Promise<CloneView> {
  const gitFolder = await mkdtemp(join(tmpdir(), 'takt-view-'));
  const dispose = async (): Promise<void> => rm(gitFolder, { recursive: true, force: true, maxRetries: 3 });
  try {
    const index = join(gitFolder, 'index');
    await furnishView(gitFolder, p);
    const env = { ...quietEnvironment(), GIT_DIR: gitFolder, GIT_WORK_TREE: p.folder, GIT_LFS_SKIP_SMUDGE: '1' };
    return {
      gitFolder,
      index,
      git: async (args, { more, signal, ...options }) => {
        const limited = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
        return git(p.folder, [...WHOLE_INDEX, ...args], { ...options, signal: limited, env: { ...env, ...more } });
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function furnishView(gitFolder: string, p: Viewed): Promise<void> {
  const { own, shared } = p.gitFolders ?? gitFoldersOf(p.folder);
  await mkdir(join(gitFolder, 'objects', 'info'), { recursive: true });
  await mkdir(join(gitFolder, 'refs', 'heads'), { recursive: true });
  await mkdir(join(gitFolder, 'info'));
  const borrowed = [join(shared, 'objects'), join(p.rootFolder, 'objects')];
  await writeFile(
    join(gitFolder, 'objects', 'info', 'alternates'),
    borrowed.map((path) => `${quotedPath(path)}\n`).join(''),
  );
  // A branch, not only HEAD: git names its branches when it asks for what is missing.
  await writeFile(join(gitFolder, 'HEAD'), 'ref: refs/heads/view\n');
  if (p.head !== null) await writeFile(join(gitFolder, 'refs', 'heads', 'view'), `${p.head}\n`);
  await writeFile(join(gitFolder, 'config'), await harmlessConfig({ own, shared }, p));
  await copyIndex(own, gitFolder);
  for (const name of ['exclude', 'attributes', 'sparse-checkout']) {
    const from = name === 'sparse-checkout' ? own : shared;
    const list = await readUntrustedFile(join(from, 'info', name), LIST_LIMIT_BYTES);
    if (list !== undefined) await writeFile(join(gitFolder, 'info', name), list);
  }
}

/** The clone's settings that start nothing. `git sparse-checkout` writes into a file that is for the work tree alone. */
async function harmlessConfig(folders: GitFolders, p: Viewed): Promise<string> {
  const shared = await settingsIn(join(folders.shared, 'config'), p);
  const hasOwn = shared.findLast(([key]) => key === 'extensions.worktreeconfig')?.[1] ?? 'false';
  const settings = isYes(hasOwn) ? [...shared, ...(await settingsIn(join(folders.own, 'config.worktree'), p))] : shared;
  const lines = settings
    .filter(([key, value]) => HARMLESS.has(key) && /^[a-z0-9]{1,20}$/i.test(value))
    .map(([key, value]) => `[${key.split('.')[0]}]\n\t${key.split('.')[1]} = ${value}\n`);
  return `[core]\n\trepositoryformatversion = 0\n\tbare = false\n${lines.join('')}`;
}

/** What a file of the clone's sets, none if it is not one that git reads; git parses it as a text, without its includes. */
async function settingsIn(file: string, { rootFolder, signal }: Viewed): Promise<ConfigValue[]> {
  const input = await readUntrustedFile(file, CONFIG_LIMIT_BYTES);
  if (input === undefined) return [];
  const args = ['config', '--file', '-', '--no-includes', '--null', '--list'];
  const listed = await gitResult(rootFolder, args, { signal, input });
  return listed.exitCode === 0 ? configValues(listed.stdout) : [];
}

/**
 * Copies the index, and the parts that a split one shares. It keeps its time, in whole seconds: git takes files that
 * changed in that second or later for possibly changed again, and reads them.
 */
async function copyIndex(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (!entry.isFile() || (entry.name !== 'index' && !/^sharedindex\.[0-9a-f]{40}$/.test(entry.name))) continue;
    const { mtimeMs } = await lstat(join(from, entry.name));
    await copyFile(join(from, entry.name), join(to, entry.name));
    const second = Math.floor(mtimeMs / 1000);
    await utimes(join(to, entry.name), second, second);
  }
}
