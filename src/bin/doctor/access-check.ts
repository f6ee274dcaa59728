import { constants, type Stats, statSync } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { homeFolders } from '../../config/init-home.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { type CheckResult, result } from './check.ts';
import { openingFix, ownerFix } from './rights-fix.ts';
import { lockHolder } from './service-state.ts';

const NAME = 'access';
const { R_OK, W_OK, X_OK } = constants;

/** A file or folder of a home, and what the service does with it. */
interface Used {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'socket';
  readonly needs: number;
  /** Its rights are set at each start, which the owner alone may do. */
  readonly isOwn?: boolean;
}

type Obstacle = { readonly path: string } & (
  | { readonly why: 'owner'; readonly uid: number }
  | { readonly why: 'closed' | 'a folder' | 'read-only' }
);

/**
 * Whether the service may use what it keeps in the home, as after a takt that was run with sudo it may not. Of a home
 * that is another user's altogether, the check of the home tells.
 */
export async function checkAccess(layout: HomeLayout): Promise<CheckResult> {
  if ((await stat(layout.state)).uid !== process.getuid?.())
    return result(NAME, 'absent', 'cannot be told in a home of another user');
  const obstacles: Obstacle[] = [];
  for (const used of usedIn(layout)) {
    // What lies below something that is in the way cannot be told from here.
    if (obstacles.some(({ path }) => used.path.startsWith(join(path, '/')))) continue;
    const obstacle = await obstacleAt(used);
    if (obstacle !== undefined) obstacles.push(obstacle);
  }
  if (obstacles.length === 0) return result(NAME, 'ok', 'the service may read and write what it keeps');
  const found = obstacles.map((obstacle) => `${relative(layout.home, obstacle.path)} ${wordsOf(obstacle)}`).join('; ');
  return result(NAME, 'broken', found, fixOf(layout, obstacles));
}

/** Folders before what is in them. */
function usedIn(layout: HomeLayout): Used[] {
  const { home, state, roots, workspaces, runs, reposFile, settingsFile, database } = layout;
  // Files of the configuration are written beside the old ones, and put in their places.
  const isWritten = (folder: string): boolean =>
    [roots, workspaces, runs, dirname(reposFile)].includes(folder) || folder.startsWith(join(state, '/'));
  const folders = [join(state, 'spool'), ...homeFolders(layout)].map((path): Used => ({
    path,
    kind: 'folder',
    needs: R_OK | X_OK | (isWritten(path) ? W_OK : 0),
  }));
  const files = [
    { path: join(state, 'home.json'), needs: R_OK },
    { path: join(state, 'service.json'), needs: R_OK },
    ...[layout.serviceLog, layout.serviceStartLog].map((path) => ({ path, needs: R_OK | W_OK })),
    ...[layout.token, layout.lock, database].map((path) => ({ path, needs: R_OK | W_OK, isOwn: true })),
    ...[`${database}-wal`, `${database}-shm`].map((path) => ({ path, needs: R_OK | W_OK })),
    ...[reposFile, settingsFile].map((path) => ({ path, needs: R_OK })),
  ].map((file): Used => ({ ...file, kind: 'file' }));
  return [
    { path: home, kind: 'folder', needs: X_OK },
    { path: state, kind: 'folder', needs: R_OK | W_OK | X_OK },
    ...folders,
    ...files,
    { path: layout.socket, kind: 'socket', needs: R_OK | W_OK },
  ];
}

async function obstacleAt({ path, kind, needs, isOwn = false }: Used): Promise<Obstacle | undefined> {
  const own = process.getuid?.();
  const facts = await factsBehind(path);
  if (facts === undefined) return undefined;
  // That another check tells of.
  if (kind === 'folder' && !facts.isDirectory()) return undefined;
  if (kind === 'file' && facts.isDirectory()) return { path, why: 'a folder' };
  if (isOwn && own !== 0 && facts.uid !== own) return { path, why: 'owner', uid: facts.uid };
  try {
    await access(path, needs);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EROFS') return { path, why: 'read-only' };
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    return facts.uid === own ? { path, why: 'closed' } : { path, why: 'owner', uid: facts.uid };
  }
}

/** Undefined for what is not there, which is made at a start; links are followed, since they may lead to another disk. */
async function factsBehind(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

function wordsOf(obstacle: Obstacle): string {
  switch (obstacle.why) {
    case 'owner':
      return `belongs to user id ${obstacle.uid}`;
    case 'closed':
      return 'may not be read and written by its owner';
    case 'a folder':
      return 'is a folder, where takt needs a file';
    case 'read-only':
      return 'is on a disk that is read-only';
  }
}

function fixOf(layout: HomeLayout, obstacles: readonly Obstacle[]): string {
  const of = (why: Obstacle['why']): string[] => obstacles.filter((each) => each.why === why).map(({ path }) => path);
  const [foreign, closed, misplaced] = [of('owner'), of('closed'), of('a folder')];
  const holder = foreign.length === 0 ? undefined : foreignService(layout);
  return [
    ...(holder === undefined ? [] : [`\`sudo kill ${holder}\` ends the service of that user.`]),
    ...(foreign.length === 0
      ? []
      : [`${[...new Set(foreign.map((path) => partOf(layout, path)))].map(ownerFix).join(' and ')}.`]),
    ...(closed.length === 0 ? [] : [`${closed.map(openingFix).join(' and ')}.`]),
    ...(misplaced.length === 0 ? [] : [`Move ${misplaced.join(' and ')} away.`]),
    ...(of('read-only').length === 0 ? [] : ['Mount that disk so that it may be written.']),
  ].join(' ');
}

/** The process of a service that another user runs in this home; one of another container is not to be seen. */
function foreignService({ lock }: HomeLayout): number | undefined {
  const pid = lockHolder(lock) ?? 0;
  const owner = pid === 0 ? undefined : statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
  return owner === undefined || owner === process.getuid?.() ? undefined : pid;
}

/** Where one file is another user's there are more, deeper than anybody looks here. */
function partOf({ state, reposFile }: HomeLayout, path: string): string {
  return [state, dirname(reposFile)].find((folder) => path.startsWith(join(folder, '/'))) ?? path;
}
