import { readdir, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { Fault } from '../../contract/faults.ts';
import { readTextIfThere, sha256 } from '../../platform/files.ts';
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

/** The unit of a home, or undefined if it has none. Reads files only. */
export async function ownUnit(layout: HomeLayout): Promise<UnitFile | undefined> {
  const folder = unitFolder();
  const home = await realHome(layout.home);
  for (const name of (await namesIn(folder)).filter((each) => NAMES.test(each)).toSorted()) {
    const path = join(folder, name);
    const text = await readTextIfThere(path);
    const read = text === undefined ? undefined : readUnit(text);
    if (read !== undefined && (await realHome(read.home)) === home)
      return { name, path, text, isEdited: read.isEdited };
  }
  return undefined;
}

/**
 * Where the unit of a home is or goes: the plain name for the first home, one of its own for each further one. Fault
 * UNIT_TAKEN if what is there is none of takt's.
 */
export async function placeForUnit(layout: HomeLayout): Promise<UnitFile> {
  const own = await ownUnit(layout);
  if (own !== undefined) return own;
  for (const name of [FIRST_NAME, `takt-service-${sha256(await realHome(layout.home)).slice(0, 8)}.service`]) {
    const path = join(unitFolder(), name);
    const text = await readTextIfThere(path);
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

/** Where systemd looks for units of this user that the user made. */
function unitFolder(): string {
  const named = process.env['XDG_CONFIG_HOME'] ?? '';
  return join(isAbsolute(named) ? named : join(homedir(), '.config'), 'systemd', 'user');
}

/** Two ways to write one home's path are one home. */
async function realHome(home: string): Promise<string> {
  try {
    return await realpath(home);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return home;
    throw error;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
