import { rm } from 'node:fs/promises';
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

/** What was seen last, or undefined if nothing was. Fault CONFIG_INVALID for a file that takt did not write so. */
export async function readSeen(layout: HomeLayout): Promise<SeenBranches | undefined> {
  const text = await readTextIfThere(pathOf(layout));
  if (text === undefined) return undefined;
  try {
    return SeenFile.parse(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof z.ZodError)) throw error;
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

export async function forgetSeen(layout: HomeLayout): Promise<void> {
  await rm(pathOf(layout), { force: true });
}
