import { statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { AttemptRepo, AttemptRequest } from '../contract/attempt.ts';
import { readTextIfThere, writeFileDurably } from '../platform/files.ts';
import { makeHostFolder } from './host-folder.ts';

/**
 * What takt knows of a run's worktrees. It lies where the work cannot reach it: what is in the run's folder may
 * be made up.
 */
const WorktreeRecord = z.object({
  /** The folder that it speaks of: one that was deleted and made again has no worktrees yet. */
  folder: z.string(),
  /** Repos whose worktree is whole, with the paths that their setup left and their repo does not ignore. */
  repos: z.record(z.string(), z.object({ residue: z.array(z.string()) })),
});
type WorktreeRecord = z.infer<typeof WorktreeRecord>;

const recordFile = (request: AttemptRequest): string => join(makeHostFolder(request), 'worktrees.json');

/** The record of the run's folder as it is; empty if there is none. */
export async function readWorktreeRecord(request: AttemptRequest): Promise<WorktreeRecord> {
  const { ino, birthtimeMs } = statSync(request.runFolder);
  const folder = `${ino} ${birthtimeMs}`;
  const text = await readTextIfThere(recordFile(request));
  const record = text === undefined ? undefined : WorktreeRecord.parse(JSON.parse(text));
  return record?.folder === folder ? record : { folder, repos: {} };
}

export async function writeWorktreeRecord(request: AttemptRequest, record: WorktreeRecord): Promise<void> {
  await writeFileDurably(recordFile(request), JSON.stringify(record));
}

/** The repos with what their setup left counted among the cached folders: neither is a change, and both survive a restore. */
export function withResidue(repos: readonly AttemptRepo[], record: WorktreeRecord): AttemptRepo[] {
  return repos.map((repo) => ({ ...repo, cache: [...repo.cache, ...(record.repos[repo.name]?.residue ?? [])] }));
}
