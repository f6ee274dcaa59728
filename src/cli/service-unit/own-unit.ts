import { readdir, readlink, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { Fault } from '../../contract/faults.ts';
import { readTextIfThere } from '../../platform/files.ts';
import { sha256 } from '../../platform/sha256.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { readUnit } from './unit-text.ts';

/** A unit file that takt wrote, or where it is going to write one. */
export interface UnitFile {
  /** As systemctl takes it. */
  readonly name: string;
  readonly path: string;
  /** What it says now; undefined if there is none yet. */
  readonly text: string | undefined;
  readonly isEdited: boolean;
}

const FIRST_NAME = 'takt-service.service';
const NAMES = /^takt-service(-[0-9a-f]{8})?\.service$/;

/**
 * The unit of a home, or undefined if it has none. Reads files only. Fault UNIT_FAILED if something that may be it cannot
 * be read.
 */
export async function ownUnit(layout: HomeLayout): Promise<UnitFile | undefined> {
  const home = await realHome(layout.home);
  let unreadable: Fault | undefined;
  for await (const each of takenNames()) {
    if (each instanceof Fault) unreadable ??= each;
    else if ((await realHome(each.home)) === home) return each;
  }
  if (unreadable !== undefined) throw unreadable;
  return undefined;
}

/** The units of homes that are gone: moved away, most likely. */
export async function orphanedUnits(): Promise<(UnitFile & { readonly home: string })[]> {
  const orphaned = [];
  for await (const each of takenNames())
    if (!(each instanceof Fault) && (await realPathIfThere(each.home)) === undefined) orphaned.push(each);
  return orphaned;
}

/** Each unit of takt's with the home that it serves, or the fault that it cannot be read. */
async function* takenNames(): AsyncGenerator<(UnitFile & { readonly home: string }) | Fault> {
  const folder = unitFolder();
  for (const name of (await namesIn(folder)).filter((each) => NAMES.test(each)).toSorted()) {
    const path = join(folder, name);
    try {
      const text = await readTextIfThere(path);
      const read = text === undefined ? undefined : readUnit(text);
      if (read !== undefined) yield { name, path, text, ...read };
    } catch (error) {
      yield unreadableFault(path, error);
    }
  }
}

/**
 * Where the unit of a home is or goes: the plain name for the first home, one of its own for each further one. Faults:
 * UNIT_TAKEN if what is there is none of takt's, UNIT_FAILED if it cannot be read.
 */
export async function placeForUnit(layout: HomeLayout): Promise<UnitFile> {
  const own = await ownUnit(layout);
  if (own !== undefined) return own;
  for (const name of [FIRST_NAME, `takt-service-${sha256(await realHome(layout.home)).slice(0, 8)}.service`]) {
    const path = join(unitFolder(), name);
    const text = await readTextIfThere(path);
    if (text === undefined) await refuseLinkToNothing(path);
    if (text === undefined) return { name, path, text, isEdited: false };
    if (readUnit(text) !== undefined) continue;
    throw new Fault('UNIT_TAKEN', `${path} is a unit that takt did not write.`, {
      hint: `If it is not needed: systemctl --user disable --now ${name}, then remove that file.`,
    });
  }
  throw new Fault('UNIT_TAKEN', `The names for a unit of ${layout.home} are those of units of other homes.`, {
    hint: `\`grep Home= ${join(unitFolder(), 'takt-service*')}\` shows them; remove the one that is not needed.`,
  });
}

/** Such a link reads like a free name, and takes the place all the same. */
async function refuseLinkToNothing(path: string): Promise<void> {
  const target = await readlink(path).catch((error: unknown) => {
    // Nothing is there, or by now what another home has written.
    if (['ENOENT', 'ENOTDIR', 'EINVAL'].includes(codeOf(error))) return undefined;
    throw unreadableFault(path, error);
  });
  if (target === undefined) return;
  throw new Fault('UNIT_TAKEN', `${path} is a link to ${target}, where nothing is.`, {
    hint: 'If it is not needed, remove that link; else put back what it leads to.',
  });
}

/** Where systemd looks for units of this user that the user made. */
function unitFolder(): string {
  const named = process.env['XDG_CONFIG_HOME'] ?? '';
  return join(isAbsolute(named) ? named : join(homedir(), '.config'), 'systemd', 'user');
}

/** Two ways to write one home's path are one home. */
const realHome = async (home: string): Promise<string> => (await realPathIfThere(home)) ?? home;

/** Where a path leads; undefined if nothing can be found there. */
export async function realPathIfThere(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG'].includes(codeOf(error))) return undefined;
    throw error;
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return [];
    throw unreadableFault(folder, error);
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'may not be read or written by this user',
  EPERM: 'may not be read or written by this user',
  EROFS: 'is on a disk that is read-only',
  ENOTDIR: 'is to be a folder, and something else is in its way',
  EEXIST: 'is to be a folder, and something else is in its way',
  ELOOP: 'is a link that leads in a circle',
  EISDIR: 'is a folder, and no unit',
};

/**
 * Fault UNIT_FAILED or DISK_FULL for what the system says of a place for units; what it does not explain is thrown as it
 * is.
 */
export function unreadableFault(path: string, error: unknown): Fault {
  // That disk may be another one than the home's.
  if (['ENOSPC', 'EDQUOT'].includes(codeOf(error)))
    return new Fault('DISK_FULL', `The disk of ${path} is full.`, {
      hint: 'Free space there, then repeat; the service runs without a unit too.',
      cause: error,
    });
  const reason = reasons[codeOf(error)];
  if (reason === undefined) throw error;
  return new Fault('UNIT_FAILED', `${path} ${reason}.`, {
    hint: `\`namei -l ${path}\` shows who owns what there: mend it, or move it away; the service runs without a unit too.`,
    cause: error,
  });
}
