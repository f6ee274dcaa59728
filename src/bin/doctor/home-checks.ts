import { existsSync, statSync } from 'node:fs';
import { chmod, lstat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { openConfig } from '../../config/config-source.ts';
import { byteSize, counted } from '../../cli/print/figures.ts';
import { checkHome, homeFolders, makeHomeFolders } from '../../config/init-home.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { openDatabaseToRead } from '../../store/database.ts';
import { bounded, type Check, type CheckResult, result } from './check.ts';
import { factsOf } from './folder-facts.ts';
import { checkGh } from './gh-check.ts';
import { checkGitSettings } from './git-settings-check.ts';
import { leftoverChecks } from './leftover-checks.ts';
import { checkModelAccess } from './model-check.ts';
import { rootChecks } from './root-checks.ts';
import { checkService } from './service-check.ts';
import { checkUnit } from './unit-check.ts';

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
  await checkHome(layout);
  const { uid } = await lstat(join(layout.state, 'home.json'));
  const own = process.getuid?.();
  if (uid === own) return result('home', 'ok', layout.home);
  return result(
    'home',
    'warning',
    `${layout.home} belongs to user id ${uid}, and this is user id ${own}`,
    `Run takt as that user: \`sudo -u '#${uid}' takt doctor\`.`,
  );
}

function checkConfig(layout: HomeLayout): CheckResult {
  const config = openConfig(layout);
  config.settings();
  const count = config.repos().length;
  return result('config', 'ok', `settings.yaml and repos.yaml are valid; ${counted(count, 'repo')}`);
}

async function checkFolders(layout: HomeLayout): Promise<CheckResult> {
  const missing: string[] = [];
  const inTheWay: string[] = [];
  for (const folder of homeFolders(layout)) {
    const facts = await factsOf(folder);
    if (facts === undefined) missing.push(folder);
    // A link to a folder is how somebody moves one to another disk.
    else if (!facts.isDirectory() && !facts.isSymbolicLink()) inTheWay.push(folder);
  }
  const named = (folders: string[]): string => folders.map((folder) => relative(layout.home, folder)).join(', ');
  if (inTheWay.length > 0)
    return result('folders', 'broken', `no folder, but something else: ${named(inTheWay)}`, 'Move that away.');
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

/** What is in `.state` lets whoever reads it act as the operator. */
async function checkRights(layout: HomeLayout): Promise<CheckResult> {
  const files = [layout.token, layout.socket, layout.lock, join(layout.state, 'service.json'), layout.serviceLog];
  const wanted = [
    { path: layout.state, mode: 0o700 },
    ...[...files, layout.database, `${layout.database}-wal`, `${layout.database}-shm`].map((path) => ({
      path,
      mode: 0o600,
    })),
  ];
  const open: { path: string; mode: number }[] = [];
  for (const each of wanted) {
    const facts = await factsOf(each.path);
    if (facts !== undefined && (facts.mode & 0o077) !== 0) open.push(each);
  }
  if (open.length === 0) return result('rights', 'ok', 'token, socket and store are for their owner alone');
  const named = open.map(({ path }) => relative(layout.home, path)).join(', ');
  const commands = open.map(({ path, mode }) => `chmod ${mode.toString(8)} ${path}`).join(' && ');
  return result('rights', 'warning', `others may use ${named}`, `\`${commands}\``, async () => {
    for (const { path, mode } of open) await chmod(path, mode);
    return `closed ${named} to others`;
  });
}

async function checkStore(layout: HomeLayout): Promise<CheckResult> {
  const facts = await factsOf(layout.database);
  if (facts === undefined) return result('store', 'ok', 'not made yet; the first start of the service does it');
  try {
    using store = openDatabaseToRead(layout.database);
    store?.prepare('SELECT count(*) FROM sqlite_schema').get();
    return result('store', 'ok', byteSize(facts.size));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return result('store', 'broken', `${layout.database} cannot be read: ${why}`, 'Bring it back from a backup.');
  }
}
