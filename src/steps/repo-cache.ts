import { chownSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { AttemptRepo } from '../contract/attempt.ts';
import { git } from '../git/git.ts';
import { shellWord } from '../git/shell-word.ts';
import { isThere } from '../platform/files.ts';
import { sha256 } from '../platform/sha256.ts';
import type { WalledDesk } from './attempt-desk.ts';
import { runOwnScript } from './own-script.ts';

const LOCK_FILES = [
  'package.json',
  'package-lock.json',
  'npm-shrinkwrap.json',
  'pnpm-lock.yaml',
  'yarn.lock',
  'bun.lock',
  'Cargo.lock',
  'poetry.lock',
  'uv.lock',
  'requirements.txt',
  'Gemfile.lock',
  'go.sum',
  'composer.lock',
];
const KEPT_KEYS = 3;
/** A key that was used so recently may be in use by another run. */
const IN_USE_MS = 10 * 60 * 1000;

/**
 * What the caches of a repo depend on: its lock files at the commit of the run, its setup command, the cached paths and the
 * kind of machine. Read from the root repo, which the work cannot write.
 */
export async function cacheKey(
  { rootFolder, commit, setup, cache }: AttemptRepo,
  signal: AbortSignal,
): Promise<string> {
  const tree = await git(rootFolder, ['ls-tree', '-r', '-z', '--full-tree', commit], { signal });
  const locks = tree.split('\0').filter((line) => LOCK_FILES.includes(basename(line.slice(line.indexOf('\t') + 1))));
  return sha256(JSON.stringify([locks, setup, cache.toSorted(), process.platform, process.arch])).slice(0, 32);
}

/** Copies the cached folders into the worktree; true if all of them were there under this very key. */
export async function restoreCache(desk: WalledDesk, repo: AttemptRepo, key: string): Promise<boolean> {
  const kept = join(repo.cacheFolder, key);
  if (!(await isThere(kept))) return false;
  const now = new Date();
  utimesSync(kept, now, now);
  // Each is copied aside first, so that a copy that breaks off leaves nothing half-made under the real name.
  const copies = repo.cache.map((path, index) => {
    const to = shellWord(`./${path}`);
    return `mkdir -p "$(dirname ${to})" && cp -a --reflink=auto "$TAKT_CACHE/${index}" ${to}.takt-new && rm -rf ${to} && mv ${to}.takt-new ${to}`;
  });
  return (await copyInside(desk, repo, copies, { readable: [kept], folder: kept })) === 0;
}

/**
 * Keeps the cached folders of a worktree under this key, for the next run. They are copied inside the walls into a folder
 * of this attempt, which then gets its name whole; a run that was quicker with the same key wins.
 */
export async function saveCache(desk: WalledDesk, repo: AttemptRepo, key: string): Promise<void> {
  const staging = join(repo.cacheFolder, `.new-${desk.request.attempt}`);
  const { uid, gid } = desk.walls.user;
  mkdirSync(staging, { recursive: true, mode: 0o700 });
  chownSync(staging, uid, gid);
  const copies = repo.cache.map(
    (path, index) => `cp -a --reflink=auto ${shellWord(`./${path}`)} "$TAKT_CACHE/${index}"`,
  );
  const exitCode = await copyInside(desk, repo, copies, { writable: [staging], folder: staging });
  if (exitCode !== 0) desk.output.note(`${repo.name}: ${repo.cache.join(', ')} could not be kept for the next run.`);
  else putInPlace(staging, join(repo.cacheFolder, key));
  rmSync(staging, { recursive: true, force: true });
  removeOldKeys(repo.cacheFolder);
}

async function copyInside(
  desk: WalledDesk,
  { name }: AttemptRepo,
  copies: readonly string[],
  { folder, ...binds }: { folder: string; readable?: string[]; writable?: string[] },
): Promise<number> {
  const { request } = desk;
  const script = ['set -e', ...copies].join('\n');
  const place = { env: { TAKT_CACHE: folder }, cwd: join(request.runFolder, name) };
  const { exitCode } = await runOwnScript(desk, script, { ...place, ...binds });
  return exitCode;
}

function putInPlace(staging: string, kept: string): void {
  try {
    renameSync(staging, kept);
  } catch (error) {
    // Another run has kept the same meanwhile.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Keeps the newest keys; a staging folder that a host left behind when it was killed counts as one. */
function removeOldKeys(folder: string): void {
  const found = readdirSync(folder).map((name) => ({
    path: join(folder, name),
    usedAtMs: statSync(join(folder, name)).mtimeMs,
  }));
  const old = found.toSorted((a, b) => b.usedAtMs - a.usedAtMs).slice(KEPT_KEYS);
  for (const { path, usedAtMs } of old) {
    if (usedAtMs < Date.now() - IN_USE_MS) rmSync(path, { recursive: true, force: true });
  }
}
