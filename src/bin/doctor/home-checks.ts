import { constants, existsSync, statSync } from 'node:fs';
import { access, chmod, open, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { openConfig } from '../../config/config-source.ts';
import { byteSize, counted } from '../../cli/print/figures.ts';
import { checkHome, homeFolders, makeHomeFolders } from '../../config/init-home.ts';
import { shellWord } from '../../git/shell-word.ts';
import { isThere } from '../../platform/files.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { openDatabaseToRead } from '../../store/database.ts';
import { listRoots } from '../../store/roots.ts';
import { checkAccess } from './access-check.ts';
import { bounded, type Check, type CheckResult, result } from './check.ts';
import { factsOf, fileAbove, namesIn } from './folder-facts.ts';
import { checkGh } from './gh-check.ts';
import { checkGitSettings } from './git-settings-check.ts';
import { leftoverChecks } from './leftover-checks.ts';
import { checkModelAccess } from './model-check.ts';
import { ownerFix, rightsFix } from './rights-fix.ts';
import { rootChecks } from './root-checks.ts';
import { checkService } from './service-check.ts';
import { checkUnit } from './unit-check.ts';

const ANSWER_LIMIT_MS = 5_000;

/**
 * False if the disk of a home leaves what its checks read without an answer. What they may not read, or what is not
 * there, is theirs to tell.
 */
export async function doesHomeAnswer(layout: HomeLayout, signal: AbortSignal): Promise<boolean> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_LIMIT_MS)]);
  const late = new Promise<false>((resolve) => {
    limit.addEventListener('abort', () => resolve(false), { once: true });
  });
  const looks = [stat(layout.state), stat(layout.database), ...[layout.settingsFile, layout.reposFile].map(readOnce)];
  const isAnswering = await Promise.race([Promise.allSettled(looks).then(() => true), late]);
  signal.throwIfAborted();
  return isAnswering;
}

async function readOnce(path: string): Promise<void> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) await file.readFile();
}

/** What concerns one home; without a home only that there is none, and what does not need one. */
export function homeChecks(
  layout: HomeLayout,
  signal: AbortSignal,
  environment: NodeJS.ProcessEnv = process.env,
): Check[] {
  const anyway = [
    bounded('git settings', { signal }, (ended) => checkGitSettings(layout, environment, ended)),
    bounded('gh', { signal }, (ended) => checkGh(layout, environment, ended)),
    bounded('model access', { signal }, (ended) => checkModelAccess(layout, environment, ended)),
    bounded('home', { signal, onFault: 'broken' }, () => checkOwnHome(layout)),
  ];
  if (!existsSync(layout.state)) return anyway;
  const checks = [
    ...anyway,
    bounded('config', { signal, onFault: 'broken' }, () => checkConfig(layout)),
    bounded('folders', { signal, onFault: 'broken' }, () => checkFolders(layout)),
    bounded('rights', { signal }, () => checkRights(layout)),
    bounded('access', { signal, onFault: 'broken' }, () => checkAccess(layout)),
    bounded('store', { signal, onFault: 'broken' }, () => checkStore(layout)),
    bounded('service', { signal }, (ended) => checkService(layout, ended)),
    bounded('unit', { signal }, (ended) => checkUnit(layout, ended)),
    ...rootChecks(layout, signal),
    ...leftoverChecks(layout, signal),
  ];
  // What is mended there by another user would be that user's, and in the way of the owner.
  return statSync(layout.state).uid === process.getuid?.() ? checks : checks.map(lookingOnly);
}

function lookingOnly(check: Check): Check {
  const look = async (): Promise<CheckResult> => {
    const { name, state, found, fix } = await check();
    return result(name, state, found, fix);
  };
  return Object.assign(look, check.label === undefined ? {} : { label: check.label });
}

/** Everything in a home is made by the user who runs the service, and git trusts no repository of another user. */
async function checkOwnHome(layout: HomeLayout): Promise<CheckResult> {
  const own = process.getuid?.();
  const uid = await ownerOf(layout);
  if (uid === undefined || uid === own) {
    await checkHome(layout);
    return result('home', 'ok', layout.home);
  }
  // Of a home that this user may read, it is said as well what is wrong with it.
  await checkHome(layout).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
  });
  return result(
    'home',
    // Root may do all that the owner may.
    own === 0 ? 'warning' : 'broken',
    `${layout.home} belongs to user id ${uid}, and this is user id ${own}`,
    `Run takt as that user: \`sudo -u '#${uid}' takt doctor\`.${own === 0 ? '' : ` If it is to be yours: ${ownerFix(layout.home)}.`}`,
  );
}

/** Whose home it is; undefined if there is none, or if nobody else may even see that. One file in it may be another's. */
async function ownerOf({ state }: HomeLayout): Promise<number | undefined> {
  const facts = await stat(state).catch((error: NodeJS.ErrnoException) => {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(error.code ?? '')) return undefined;
    throw error;
  });
  return facts?.uid;
}

async function checkConfig(layout: HomeLayout): Promise<CheckResult> {
  const config = openConfig(layout);
  const roots = (await isThere(layout.reposFile)) ? [] : listRootsIfAny(layout);
  if (roots.length > 0)
    return result(
      'config',
      'broken',
      `config/repos.yaml is gone, and there are root repos of ${roots.join(', ')}`,
      'Bring it back from a backup, or add each repo to a new one: the root repos stay until then.',
    );
  config.settings();
  const count = config.repos().length;
  return result('config', 'ok', `settings.yaml and repos.yaml are valid; ${counted(count, 'repo')}`);
}

/** None where the store is of another version, or cannot be read, which it is not for this check to say. */
function listRootsIfAny({ database }: HomeLayout): string[] {
  try {
    using store = openDatabaseToRead(database);
    return store === undefined ? [] : listRoots(store).map(({ repo }) => repo);
  } catch {
    return [];
  }
}

async function checkFolders(layout: HomeLayout): Promise<CheckResult> {
  const missing: string[] = [];
  const inTheWay = new Set<string>();
  for (const folder of homeFolders(layout)) {
    const facts = await factsOf(folder);
    const above = facts === undefined ? await fileAbove(folder) : undefined;
    if (above !== undefined) inTheWay.add(above);
    else if (facts === undefined) missing.push(folder);
    // A link to a folder is how somebody moves one to another disk.
    else if (!facts.isDirectory() && !facts.isSymbolicLink()) inTheWay.add(folder);
  }
  const named = (folders: string[]): string => folders.map((folder) => relative(layout.home, folder)).join(', ');
  if (inTheWay.size > 0)
    return result('folders', 'broken', `no folder, but something else: ${named([...inTheWay])}`, 'Move that away.');
  if (missing.length === 0) return result('folders', 'ok', 'all there');
  return result(
    'folders',
    'warning',
    `missing: ${named(missing)}`,
    'The next start of the service makes them.',
    async () => {
      await makeHomeFolders(layout);
      return `made ${named(missing)}`;
    },
  );
}

/** What is in `.state` lets whoever reads it act as the operator; an address or a variable may hold a secret. */
async function checkRights(layout: HomeLayout): Promise<CheckResult> {
  const { token, socket, lock, serviceLog, database, reposFile, settingsFile } = layout;
  const ofStore = [database, `${database}-wal`, `${database}-shm`];
  const files = [
    token,
    socket,
    lock,
    join(layout.state, 'service.json'),
    serviceLog,
    ...ofStore,
    reposFile,
    settingsFile,
  ];
  const wanted = [{ path: layout.state, mode: 0o700 }, ...files.map((path) => ({ path, mode: 0o600 }))];
  const open: { path: string; mode: number }[] = [];
  for (const each of wanted) {
    const facts = await factsOf(each.path);
    // A link says nothing of who may read; its target is where somebody else's tools put it.
    if (facts !== undefined && !facts.isSymbolicLink() && (facts.mode & 0o077) !== 0) open.push(each);
  }
  if (open.length === 0)
    return result('rights', 'ok', 'token, socket, store and configuration are for their owner alone');
  const named = open.map(({ path }) => relative(layout.home, path)).join(', ');
  const commands = open.map(({ path, mode }) => `chmod ${mode.toString(8)} ${shellWord(path)}`).join(' && ');
  return result('rights', 'warning', `others may use ${named}`, `\`${commands}\``, async () => {
    for (const { path, mode } of open) await chmod(path, mode);
    return `closed ${named} to others`;
  });
}

async function checkStore(layout: HomeLayout): Promise<CheckResult> {
  const facts = await factsOf(layout.database);
  if (facts === undefined) {
    const holding = [];
    for (const folder of [layout.roots, layout.workspaces]) {
      const names = (await namesIn(folder)).filter((name) => !name.startsWith('.'));
      if (names.length > 0) holding.push(`${relative(layout.home, folder)} has ${names.slice(0, 3).join(', ')}`);
    }
    if (holding.length > 0)
      return result(
        'store',
        'broken',
        `${layout.database} is gone, while ${holding.join(' and ')}`,
        'Bring it back from a backup before the service starts: a new store knows nothing of them.',
      );
  }
  if (facts === undefined) return result('store', 'ok', 'not made yet; the first start of the service does it');
  const unreadable = await firstUnreadable([layout.database, `${layout.database}-wal`, `${layout.database}-shm`]);
  if (unreadable !== undefined)
    return result('store', 'broken', `${unreadable} may not be read by this user`, `${await rightsFix(unreadable)}.`);
  try {
    using store = openDatabaseToRead(layout.database);
    store?.prepare('SELECT count(*) FROM sqlite_schema').get();
    return result('store', 'ok', byteSize(facts.size));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return result('store', 'broken', `${layout.database} cannot be read: ${why}`, 'Bring it back from a backup.');
  }
}

/** SQLite says the same of a file that it may not read as of one that is damaged. */
async function firstUnreadable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    try {
      await access(path, constants.R_OK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EACCES') return path;
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return undefined;
}
