import { readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { deleteBranch, refCommit } from '../git/refs.ts';
import { removeHalfMade } from '../git/root-repo.ts';
import { isThere, writeFileDurably } from '../platform/files.ts';
import type { HomeLayout } from '../platform/home-layout.ts';
import type { Database } from '../store/database.ts';
import { roleIn } from '../store/workspaces.ts';

/**
 * What is about to be made, or taken away, for repos of a workspace: folders and branches that have no right to be
 * there
 * once the store does not know the workspace's repos. It is written down before the first of them changes.
 */
const Intent = z.object({
  workspace: z.string(),
  repos: z.array(z.string()),
  folders: z.array(z.string()),
  /** Folders that go in either case. */
  temporary: z.array(z.string()),
  branches: z.array(z.object({ rootFolder: z.string(), branch: z.string(), commit: z.string() })),
});
export type Intent = z.infer<typeof Intent>;

type Ground = { readonly layout: HomeLayout; readonly database: Database };

const CLEAN_UP_LIMIT_MS = 120_000;
const folderOf = (layout: HomeLayout): string => join(layout.state, 'tmp');

/**
 * Does something that changes folders, branches and at last the store. However it ends, also by a crash: if the store
 * knows the workspace's repos afterwards, all stays; if not, the folders and branches named go.
 */
export async function wholeOrNot<Value>(ground: Ground, intent: Intent, work: () => Promise<Value>): Promise<Value> {
  const file = join(folderOf(ground.layout), `intent-${intent.workspace}-${process.pid}-${Date.now()}.json`);
  await writeFileDurably(file, JSON.stringify(intent));
  try {
    return await work();
  } finally {
    await settle(ground, intent, file);
  }
}

/** Brings to an end what the last service left in the middle. */
export async function settleHalfMade(ground: Ground): Promise<void> {
  const { layout } = ground;
  await removeHalfMade(layout.roots);
  for (const name of await readdir(folderOf(layout))) {
    const path = join(folderOf(layout), name);
    if (/^intent-.*\.json$/.test(name))
      await settle(ground, Intent.parse(JSON.parse(await readFile(path, 'utf8'))), path);
    else await rm(path, { recursive: true, force: true });
  }
  await removeHalfMadeClones(layout);
}

/** How the names of folders in the making begin. */
export const HALF_MADE = '.new-';

/** Removes workspaces and clones in the making. Call it while none is being made. */
export async function removeHalfMadeClones(layout: HomeLayout): Promise<void> {
  for (const name of await readdir(layout.workspaces)) {
    if (name.startsWith(HALF_MADE)) await rm(join(layout.workspaces, name), { recursive: true, force: true });
  }
}

/** Where a workspace's folder, or a clone in it, is made before it is renamed to its place. */
export const halfMadeFolder = (layout: HomeLayout, place: string): string =>
  join(layout.workspaces, `${HALF_MADE}${basename(place)}-${process.pid}-${Date.now()}`);

async function settle({ database }: Ground, intent: Intent, file: string): Promise<void> {
  const isKnown = intent.repos.every((repo) => roleIn(database, intent.workspace, repo) !== undefined);
  for (const folder of [...intent.temporary, ...(isKnown ? [] : intent.folders)]) {
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
  if (!isKnown) {
    // The caller's signal may be the reason why we are here.
    const signal = AbortSignal.timeout(CLEAN_UP_LIMIT_MS);
    for (const { rootFolder, branch, commit } of intent.branches) {
      // A branch that moved holds somebody's push.
      if ((await isThere(rootFolder)) && (await refCommit(rootFolder, `refs/heads/${branch}`, { signal })) === commit)
        await deleteBranch(rootFolder, branch, commit, { signal });
    }
  }
  await rm(file, { force: true });
}
