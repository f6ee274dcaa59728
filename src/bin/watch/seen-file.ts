import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Fault } from '../../contract/faults.ts';
import { CommitId, TimestampMs } from '../../contract/ids.ts';
import { readTextIfThere, writeFileDurably } from '../../platform/files.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';

/** `.state/watch.json`: where the branches were at the last `takt watch --once`, by repo. */
const SeenFile = z.object({
  version: z.literal(1),
  atMs: TimestampMs,
  heads: z.record(z.string(), z.record(z.string(), CommitId)),
  /** Repos that were there and were not read so far: where they are when they are read is where they begin. */
  unread: z.array(z.string()).default([]),
});
export type SeenBranches = Omit<z.infer<typeof SeenFile>, 'version'>;

const pathOf = (layout: HomeLayout): string => join(layout.state, 'watch.json');

/** What was seen last, or undefined if nothing was. Fault CONFIG_INVALID for what takt did not write so. */
export async function readSeen(layout: HomeLayout): Promise<SeenBranches | undefined> {
  try {
    const text = await readTextIfThere(pathOf(layout));
    return text === undefined ? undefined : SeenFile.parse(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof z.ZodError || codeOf(error) === 'EISDIR')) throw error;
    throw new Fault('CONFIG_INVALID', `${pathOf(layout)} cannot be read.`, {
      hint: '`takt watch --once --reset` begins anew.',
      cause: error,
    });
  }
}

/** Whole or not at all: a crash leaves what was seen before. */
export async function writeSeen(layout: HomeLayout, seen: SeenBranches): Promise<void> {
  await writeFileDurably(pathOf(layout), `${JSON.stringify({ version: 1, ...seen })}\n`, 0o600);
}

/** Fault CONFIG_INVALID if there is a folder instead, and somebody has put something into it. */
export async function forgetSeen(layout: HomeLayout): Promise<void> {
  const path = pathOf(layout);
  try {
    await rm(path, { force: true });
  } catch (error) {
    if (codeOf(error) !== 'ERR_FS_EISDIR') throw error;
    await removeEmptyFolder(path);
  }
}

async function removeEmptyFolder(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOTEMPTY') throw error;
    throw new Fault('CONFIG_INVALID', `${path} is a folder with something in it.`, {
      hint: 'Move it away; takt keeps a file there.',
      cause: error,
    });
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';
