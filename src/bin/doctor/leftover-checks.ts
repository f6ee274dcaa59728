import { rm } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { byteSize, counted } from '../../cli/print/figures.ts';
import { wallsFolder } from '../../confinement/raise-walls.ts';
import { removeHalfMade } from '../../git/root-repo.ts';
import { shellWord } from '../../git/shell-word.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { HALF_MADE, removeHalfMadeClones } from '../../service/half-made.ts';
import { lockHome } from '../../service/home-lock.ts';
import { runOfFolder } from '../../steps/host-folder.ts';
import { isAttemptSealed } from '../../store/attempts.ts';
import { openDatabaseToRead } from '../../store/database.ts';
import { runFolders } from '../../store/runs.ts';
import { listWorkspaces } from '../../store/workspaces.ts';
import { bounded, type Check, type CheckResult, result } from './check.ts';
import { namesIn, sizeOf, staleNamesIn } from './folder-facts.ts';
import { serviceState } from './service-state.ts';

/** What services, runs and workspaces that are gone have left behind. What could hold work is only named. */
export function leftoverChecks(layout: HomeLayout, signal: AbortSignal): Check[] {
  return [
    bounded('half-made', { signal }, (ended) => checkHalfMade(layout, ended)),
    bounded('pushes', { signal }, (ended) => checkPushes(layout, ended)),
    bounded('step spool', { signal }, () => checkStepSpool(layout)),
    bounded('run folders', { signal }, () => checkRunFolders(layout)),
    bounded('caches', { signal }, () => checkCaches(layout)),
    bounded('kept folders', { signal }, (ended) => checkKeptFolders(layout, ended)),
  ];
}

const SHOWN = 5;

/** A few paths within the home, and how many more there are. */
function named(layout: HomeLayout, paths: readonly string[]): string {
  const shown = paths.slice(0, SHOWN).map((path) => relative(layout.home, path));
  return paths.length > SHOWN ? `${shown.join(', ')} and ${paths.length - SHOWN} more` : shown.join(', ');
}

const removal = (paths: readonly string[]): string => `\`rm -rf ${paths.slice(0, SHOWN).map(shellWord).join(' ')}\``;

/** Root repos and workspaces in the making; each start of the service takes away what one before it had begun. */
async function checkHalfMade(layout: HomeLayout, signal: AbortSignal): Promise<CheckResult> {
  const found: string[] = [];
  for (const folder of [layout.roots, layout.workspaces]) {
    const names = (await staleNamesIn(folder)).filter((name) => name.startsWith(HALF_MADE));
    found.push(...names.map((name) => join(folder, name)));
  }
  if (found.length === 0) return result('half-made', 'ok', 'nothing');
  const fix = '`takt service restart` takes them away, and ends what is being made.';
  if ((await serviceState(layout, signal)).kind !== 'none')
    return result('half-made', 'warning', `${named(layout, found)}: perhaps still in the making`, fix);
  return result(
    'half-made',
    'warning',
    named(layout, found),
    'The next start of the service takes them away.',
    async () => {
      // No service begins to make another meanwhile.
      const lock = await lockHome(layout);
      try {
        await removeHalfMade(layout.roots);
        await removeHalfMadeClones(layout);
      } finally {
        lock.release();
      }
      return `removed ${named(layout, found)}`;
    },
  );
}

const PUSH_TAKEN_WITHIN_MS = 60_000;

/** Notes that the hooks of root repos leave for the service. They are hints: the branches themselves are compared too. */
async function checkPushes(layout: HomeLayout, signal: AbortSignal): Promise<CheckResult> {
  const waiting = await staleNamesIn(layout.pushSpool, PUSH_TAKEN_WITHIN_MS);
  const broken = join(layout.state, 'spool', 'broken-pushes');
  const aside = await namesIn(broken);
  if (waiting.length > 0) {
    const found = `${counted(waiting.length, 'push', 'pushes')} not taken in`;
    return (await serviceState(layout, signal)).kind === 'none'
      ? result('pushes', 'warning', `${found}, since no service runs`, '`takt service start` takes them in.')
      : result('pushes', 'warning', `${found}, though a service runs`, '`takt service logs` says why.');
  }
  if (aside.length === 0) return result('pushes', 'ok', 'all taken in');
  const found = `${counted(aside.length, 'file')} in ${relative(layout.home, broken)}, which no hook wrote so`;
  return result('pushes', 'warning', found, `Look what put them there, then ${removal([broken])}.`);
}

/** The store has all of a sealed attempt; of one that it does not know, the spool may have the only copy. */
async function checkStepSpool(layout: HomeLayout): Promise<CheckResult> {
  const { sealed, unknown } = await attemptsLeft(layout);
  if (sealed.length + unknown.length === 0) return result('step spool', 'ok', 'nothing of attempts that are over');
  const found = [
    ...(sealed.length === 0 ? [] : [`over and stored: ${named(layout, sealed)}`]),
    ...(unknown.length === 0 ? [] : [`of no attempt that the store knows: ${named(layout, unknown)}`]),
  ].join('; ');
  const fix = [
    ...(sealed.length === 0 ? [] : ['The next start of the service removes them.']),
    ...(unknown.length === 0 ? [] : [`If you need nothing of what the store does not know: ${removal(unknown)}.`]),
  ].join(' ');
  return result(
    'step spool',
    'warning',
    found,
    fix,
    sealed.length === 0 ? undefined : async () => remove(layout, (await attemptsLeft(layout)).sealed),
  );
}

async function attemptsLeft(layout: HomeLayout): Promise<{ sealed: string[]; unknown: string[] }> {
  const names = await staleNamesIn(layout.attemptsSpool);
  using store = openDatabaseToRead(layout.database);
  const sealed: string[] = [];
  const unknown: string[] = [];
  for (const name of names) {
    const isSealed = store === undefined ? undefined : isAttemptSealed(store, name);
    if (isSealed === true) sealed.push(layout.attemptSpool(name));
    else if (isSealed === undefined) unknown.push(layout.attemptSpool(name));
  }
  return { sealed, unknown };
}

const PUT_ASIDE = /\.kept-\d+$/;

/** Folders of runs that the store has not, or cleared away: nothing of takt's looks into them any more. */
async function checkRunFolders(layout: HomeLayout): Promise<CheckResult> {
  using store = openDatabaseToRead(layout.database);
  const runs = store === undefined ? [] : runFolders(store);
  const inUse = new Set(runs.filter(({ folder }) => folder !== null).map((run) => `${run.workspace}-${run.number}`));
  const gone = (await staleNamesIn(layout.runs)).filter((name) => !PUT_ASIDE.test(name) && !inUse.has(name));
  if (gone.length === 0) return result('run folders', 'ok', counted(inUse.size, 'folder'));
  const paths = gone.map((name) => join(layout.runs, name));
  const found = `of no run that has one: ${named(layout, paths)}`;
  return result('run folders', 'warning', found, `They may hold work. If you need none of it: ${removal(paths)}.`);
}

/** Caches hold what `setup` makes anew; the home of an agent is of use only beside the folder of its run. */
async function checkCaches(layout: HomeLayout): Promise<CheckResult> {
  const caches = await uselessCaches(layout);
  if (caches === undefined) return result('caches', 'ok', 'none yet');
  const { useless, unknown } = caches;
  if (useless.length + unknown.length === 0) return result('caches', 'ok', 'each of a workspace or run that is there');
  const found = [
    ...(useless.length === 0 ? [] : [`of workspaces and runs that are gone: ${named(layout, useless)}`]),
    ...(unknown.length === 0 ? [] : [`homes of agents of no run: ${named(layout, unknown)}`]),
  ].join('; ');
  const fix = [
    ...(useless.length === 0 ? [] : [removal(useless)]),
    ...(unknown.length === 0 ? [] : [`If you need none of their sessions: ${removal(unknown)}`]),
  ].join('. ');
  return result(
    'caches',
    'warning',
    found,
    fix,
    useless.length === 0 ? undefined : async () => remove(layout, (await uselessCaches(layout))?.useless ?? []),
  );
}

/** Undefined without a store. The folders are listed first, so that the store knows of each that is in use. */
async function uselessCaches(layout: HomeLayout): Promise<{ useless: string[]; unknown: string[] } | undefined> {
  const cacheNames = await staleNamesIn(layout.caches);
  const agentNames = await staleNamesIn(layout.agentHomes);
  using store = openDatabaseToRead(layout.database);
  if (store === undefined) return undefined;
  const workspaces = new Set(listWorkspaces(store).map(({ name }) => String(name)));
  const folderOf = new Map(runFolders(store).map((run) => [String(run.id), run.folder]));
  const caches = cacheNames.filter((name) => !workspaces.has(name));
  const walls = basename(wallsFolder(join(layout.agentHomes, 'any')));
  const agents = agentNames

    .filter((name) => name !== walls)
    .map((name) => ({ path: join(layout.agentHomes, name), folder: folderOf.get(runOfFolder(name)) }));
  const useless = [
    ...caches.map((name) => join(layout.caches, name)),
    ...agents.filter(({ folder }) => folder === null).map(({ path }) => path),
  ];
  const unknown = agents.filter(({ folder }) => folder === undefined).map(({ path }) => path);
  return { useless, unknown };
}

async function remove(layout: HomeLayout, paths: readonly string[]): Promise<string | undefined> {
  if (paths.length === 0) return undefined;
  for (const path of paths) await rm(path, { recursive: true, force: true });
  return `removed ${named(layout, paths)}`;
}

/** Folders that were put aside, since they hold work that could not be pinned; nothing else ever removes them. */
async function checkKeptFolders(layout: HomeLayout, signal: AbortSignal): Promise<CheckResult> {
  const ofRuns = (await namesIn(layout.runs)).filter((name) => PUT_ASIDE.test(name));
  const aside = join(layout.state, 'aside');
  const kept = [
    ...ofRuns.map((name) => join(layout.runs, name)),
    ...(await namesIn(aside)).map((name) => join(aside, name)),
  ];
  if (kept.length === 0) return result('kept folders', 'ok', 'none');
  const shown = kept.slice(0, SHOWN);
  const sized = await Promise.all(shown.map(async (path) => `${path} (${byteSize(await sizeOf(path, signal))})`));
  const more = kept.length > SHOWN ? `, and ${kept.length - SHOWN} more` : '';
  return result(
    'kept folders',
    'warning',
    `work that could not be pinned: ${sized.join(', ')}${more}`,
    `Look into them, then remove what you need no more: rm -rf ${shown.map(shellWord).join(' ')}`,
  );
}
