import { chmod, cp, readdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { Fault } from '../contract/faults.ts';
import { isThere, makeFolder, readTextIfThere, writeFileDurably } from '../platform/files.ts';
import { homeLayout, type HomeLayout } from '../platform/home-layout.ts';
import { PRIVATE_MODE } from './edit-file.ts';
import { REPOS_STARTER, SETTINGS_STARTER } from './starter-files.ts';

/** What `.state/home.json` says; the file is what makes a folder a home. */
const HOME_VERSION = 1;
const HomeMarker = z.object({ version: z.number().int() });

/** The kernel's limit of a Unix socket's path, without the closing zero (unix(7)). */
const SOCKET_PATH_LIMIT_BYTES = 107;

/**
 * Makes a home in an empty or new folder. On a home it only adds what is missing: nothing that a person edited is
 * written over. Fault HOME_NOT_EMPTY for any other folder.
 */
export async function initHome(folder: string): Promise<{ home: string; isNew: boolean }> {
  const layout = homeLayout(folder);
  refuseLongPath(layout);
  const isHome = await isThere(markerOf(layout));
  if (!isHome) await refuseForeignFolder(layout);
  else await checkHome(layout);

  await makeHomeFolders(layout).catch((error: unknown) => {
    throw faultOfFolder(layout.home, error);
  });
  await writeIfMissing(layout.reposFile, REPOS_STARTER, PRIVATE_MODE);
  await writeIfMissing(layout.settingsFile, SETTINGS_STARTER, PRIVATE_MODE);
  await cp(templatesOfProject(), layout.templates, { recursive: true, force: false, errorOnExist: false });
  // Last, so that a home whose making was cut short is made anew instead of being taken for whole.
  await writeIfMissing(markerOf(layout), `${JSON.stringify({ version: HOME_VERSION })}\n`);
  return { home: layout.home, isNew: !isHome };
}

/** What the system says of a path where no folder can be made, in words; what is about a disk says so itself. */
function faultOfFolder(home: string, error: unknown): unknown {
  const { code, path } = error as NodeJS.ErrnoException;
  if (!['ENOENT', 'ENOTDIR', 'EEXIST', 'ELOOP', 'ENAMETOOLONG'].includes(code ?? '')) return error;
  const inTheWay =
    code === 'EEXIST' || code === 'ENOTDIR'
      ? 'something is there that is no folder'
      : `the system refused it (${code})`;
  return new Fault('HOME_UNUSABLE', `No home can be made in ${home}: ${inTheWay}.`, {
    ...(path === undefined || path === home ? {} : { detail: path }),
    cause: error,
  });
}

/** Refuses a folder that is no home, or one of a newer takt. */
export async function checkHome(layout: HomeLayout): Promise<void> {
  refuseLongPath(layout);
  const text = await readTextIfThere(markerOf(layout)).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EISDIR')
      throw new Fault('CONFIG_INVALID', `${markerOf(layout)} is a folder, where takt needs a file.`, {
        hint: 'Move it away; `takt init` writes it anew.',
        cause: error,
      });
    if (code !== 'ENOTDIR') throw error;
    return undefined;
  });
  if (text === undefined) throw new Fault('HOME_MISSING', `${layout.home} is not a home of takt.`);
  const version = versionIn(text);
  if (version === undefined)
    throw new Fault('CONFIG_INVALID', `${markerOf(layout)} is damaged.`, {
      hint: `Write {"version":${HOME_VERSION}} into it.`,
    });
  if (version > HOME_VERSION)
    throw new Fault('HOME_NEWER', `${layout.home} has version ${version}, and this takt knows ${HOME_VERSION}.`);
}

function versionIn(text: string): number | undefined {
  try {
    return HomeMarker.parse(JSON.parse(text)).version;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}

/** Makes the folders of a home that are missing; `.state` is for its owner alone. */
export async function makeHomeFolders(layout: HomeLayout): Promise<void> {
  await makeFolder(layout.home);
  await makeFolder(layout.state, 0o700);
  await chmod(layout.state, 0o700);
  for (const folder of homeFolders(layout)) await makeFolder(folder);
}

/** The folders that every home has, besides itself and `.state`. */
export function homeFolders(layout: HomeLayout): string[] {
  const { copiedFiles, templates, context, roots, workspaces, runs, attemptsSpool, pushSpool, agentHomes } = layout;
  return [dirname(layout.reposFile), copiedFiles, templates, context, roots, workspaces, runs].concat(
    [attemptsSpool, pushSpool, agentHomes, layout.caches],
    join(layout.state, 'tmp'),
  );
}

const markerOf = (layout: HomeLayout): string => join(layout.state, 'home.json');

function refuseLongPath(layout: HomeLayout): void {
  const bytes = Buffer.byteLength(layout.socket);
  if (bytes <= SOCKET_PATH_LIMIT_BYTES) return;
  throw new Fault(
    'INPUT_INVALID',
    `The path ${layout.home} is ${bytes - SOCKET_PATH_LIMIT_BYTES} bytes too long: the socket in it could not be opened.`,
    {
      hint: 'Choose a home with a shorter path.',
    },
  );
}

/** A folder that holds only what an init that was cut short had made counts as empty. */
async function refuseForeignFolder(layout: HomeLayout): Promise<void> {
  if (!(await isThere(layout.home))) return;
  const names = await namesIn(layout.home);
  if (names.length === 0 || (names.includes('.state') && (await isThere(layout.attemptsSpool)))) return;
  throw new Fault('HOME_NOT_EMPTY', `${layout.home} is not empty and not a home of takt.`, {
    detail: `It holds ${names.slice(0, 5).join(', ')}${names.length > 5 ? ' and more' : ''}.`,
  });
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR')
      throw new Fault('HOME_NOT_EMPTY', `${folder} is a file.`, { cause: error });
    throw error;
  }
}

async function writeIfMissing(path: string, text: string, mode?: number): Promise<void> {
  if (!(await isThere(path))) await writeFileDurably(path, text, mode);
}

/** The project's own `templates/`; this file lies at another depth once it is bundled. */
function templatesOfProject(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder);
    if (above === folder) throw new Fault('INTERNAL', 'The folder of takt itself was not found.');
    folder = above;
  }
  return join(folder, 'templates');
}
