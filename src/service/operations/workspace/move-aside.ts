import { lstat, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../../platform/files.ts';
import type { ServiceParts } from '../../parts.ts';

const NAME_LIMIT_CHARS = 120;

/** Moves what shall not be deleted out of the way, whole; `name` says what it is. Gives where it is now. */
export async function moveAside(
  { layout, log }: Pick<ServiceParts, 'layout' | 'log'>,
  place: Buffer,
  name: string,
): Promise<string> {
  const aside = await freeAside({ layout }, name);
  await makeFolder(dirname(aside));
  await rename(place, aside);
  log.warn({ from: place.toString('utf8'), aside }, 'what no root repo can hold was moved aside');
  return aside;
}

/** A path in the home's folder for such things that nothing has; a rename would replace a file that is there. */
export async function freeAside({ layout }: Pick<ServiceParts, 'layout'>, name: string): Promise<string> {
  const plain = name.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, NAME_LIMIT_CHARS);
  for (let timeMs = Date.now(); ; timeMs++) {
    const path = join(layout.state, 'aside', `${plain}-${timeMs}`);
    if (!(await isTaken(path))) return path;
  }
}

async function isTaken(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
