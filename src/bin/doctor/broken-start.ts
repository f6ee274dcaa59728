import { readFile } from 'node:fs/promises';
import type { UnitFile } from '../../cli/service-unit/own-unit.ts';
import { loadedUnit } from '../../cli/service-unit/run-by-unit.ts';
import type { UnitState } from '../../cli/service-unit/systemctl.ts';
import { execWords } from '../../cli/service-unit/unit-text.ts';
import { isThere } from '../../platform/files.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';

/** Why the next start of the service fails, and what mends that. */
export interface BrokenStart {
  readonly found: string;
  readonly fix: string;
}

/** Undefined if the next start goes without a unit, or by one whose command is there. */
export async function brokenStart(layout: HomeLayout, signal: AbortSignal): Promise<BrokenStart | undefined> {
  // What keeps systemd from being asked is told by the check of the unit, and is no obstacle to a start.
  const unit = await loadedUnit(layout, { signal, say: () => undefined });
  if (unit === undefined) return undefined;
  const [missing] = await missingForStart(unit.file, unit.state);
  if (missing === undefined) return undefined;
  const found = `${unit.file.name} starts ${missing}, which is not there`;
  return { found, fix: mendOf(unit.file, missing) };
}

/** What mends a unit that starts what is not there: takt wrote that itself, or somebody else did, in another file. */
export function mendOf(file: UnitFile, missing: string): string {
  return execWords(file.text ?? '').includes(missing)
    ? `${installCommand(file)} writes the unit anew.`
    : `\`systemctl --user cat ${file.name}\` shows where that is written; after a change, \`systemctl --user daemon-reload\`.`;
}

const installCommand = ({ isEdited }: UnitFile): string => `\`takt service install${isEdited ? ' --force' : ''}\``;

/** What is not there of the command that systemd has loaded, and that a start would carry out. */
export async function missingForStart({ text = '' }: UnitFile, { program }: UnitState): Promise<string[]> {
  const words = execWords(text);
  return missingOf(words[0] === program ? words : [program]);
}

/** What is not there of the command by which a process runs; nothing if that cannot be told. */
export async function missingForProcess(pid: number): Promise<string[]> {
  try {
    return await missingOf((await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0'));
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

/** Those of a command's words that are absolute paths to nothing. */
export async function missingOf(words: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (const path of words) if (path.startsWith('/') && !(await isThere(path))) missing.push(path);
  return missing;
}
