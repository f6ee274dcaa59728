import { lstat, readdir, rename } from 'node:fs/promises';
import { basename } from 'node:path';
import { Fault } from '../../../contract/faults.ts';
import type { WorkspaceName } from '../../../contract/ids.ts';
import type { KeptWork } from '../../../contract/kept-work.ts';
import { asText, at, type BytePath } from '../../../git/byte-paths.ts';
import { shownPaths } from '../../../git/unsaved-work.ts';
import { makeFolder, readUntrustedFile } from '../../../platform/files.ts';
import { workspaceOf } from '../../../store/workspaces.ts';
import { isAsWritten, pictureOf, workspaceGuidanceFile } from '../../guidance/workspace-guidance.ts';
import type { ServiceParts } from '../../parts.ts';
import { freeAside } from './move-aside.ts';

type Parts = Pick<ServiceParts, 'config' | 'database' | 'layout'>;

const PAGE_LIMIT_BYTES = 1024 * 1024;
/** How many files are looked for in a folder of somebody's: enough to name it by. */
const FILES_LIMIT = 1000;
const SHOWN_FILES = 20;

/** A line that names what somebody put into a workspace's folder beside its clones; none if there is nothing. */
export async function linesBesideClones(parts: Parts, workspace: WorkspaceName): Promise<string[]> {
  const files = (await entriesBeside(parts, workspace)).flatMap((entry) => entry.files);
  return files.length === 0 ? [] : [`Beside the clones: ${shownPaths(files.map(asText), SHOWN_FILES)}.`];
}

/** Moves it aside, all into one folder. */
export async function keepBesideClones(
  parts: Parts & Pick<ServiceParts, 'log'>,
  workspace: WorkspaceName,
): Promise<KeptWork['aside']> {
  const { layout, log } = parts;
  const entries = await entriesBeside(parts, workspace);
  if (entries.length === 0) return [];
  const aside = await freeAside(parts, `${workspace}-beside-clones`);
  await makeFolder(aside);
  for (const { name } of entries) await rename(at(layout.workspace(workspace), name), at(aside, name));
  log.warn({ workspace, aside }, 'what lay beside the clones of a workspace was moved aside');
  return entries.map(({ name }) => ({ from: asText(name), to: at(aside, name).toString('utf8') }));
}

/** What is neither a clone nor as takt wrote it, with the files in it. Folders without any are nothing. */
async function entriesBeside(
  parts: Parts,
  workspace: WorkspaceName,
): Promise<{ name: BytePath; files: readonly BytePath[] }[]> {
  const { database, layout } = parts;
  const clones = new Set<string>(workspaceOf(database, workspace).repos.map(({ name }) => name));
  const page = workspaceGuidanceFile(layout, workspace);
  const found: { name: BytePath; files: readonly BytePath[] }[] = [];
  for (const name of await namesIn(layout.workspace(workspace))) {
    if (clones.has(name) || (name === basename(page) && (await isOwnPage(parts, workspace, page)))) continue;
    const files = await filesAt(layout.workspace(workspace), name);
    if (files.length > 0) found.push({ name, files });
  }
  return found;
}

async function isOwnPage(parts: Parts, workspace: WorkspaceName, path: string): Promise<boolean> {
  const page = (await readUntrustedFile(path, PAGE_LIMIT_BYTES))?.toString('utf8');
  if (page === undefined) return false;
  try {
    return isAsWritten(parts, pictureOf(parts, workspace), page);
  } catch (error) {
    if (error instanceof Fault && error.code === 'TEMPLATE_NOT_FOUND') return false;
    throw error;
  }
}

/** Files and links, with a repository as one; pipes and sockets hold nothing. */
async function filesAt(folder: string, top: BytePath): Promise<BytePath[]> {
  const files: BytePath[] = [];
  const open: BytePath[] = [top];
  for (let path = open.pop(); path !== undefined && files.length < FILES_LIMIT; path = open.pop()) {
    const facts = await lstat(at(folder, path));
    if (facts.isFile() || facts.isSymbolicLink()) files.push(path);
    if (!facts.isDirectory()) continue;
    const names = await readdir(at(folder, path), { encoding: 'latin1' });
    if (names.includes('.git') || basename(path) === '.git') files.push(`${path}/`);
    else
      open.push(
        ...names
          .toSorted()
          .reverse()
          .map((name) => `${path}/${name}`),
      );
  }
  return files;
}

async function namesIn(folder: string): Promise<BytePath[]> {
  try {
    return (await readdir(folder, { encoding: 'latin1' })).toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
