import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readTextIfThere, writeFileDurably } from '../platform/files.ts';
import type { HomeLayout } from '../platform/home-layout.ts';

/** `.state/service.json`: the service that runs, or that ended without clearing up. */
const ServiceFile = z.object({
  pid: z.number().int(),
  port: z.number().int(),
  startedAtMs: z.number(),
  homeId: z.string(),
  version: z.string(),
});
type ServiceFile = z.infer<typeof ServiceFile>;

const pathOf = (layout: HomeLayout): string => join(layout.state, 'service.json');

export async function writeServiceFile(layout: HomeLayout, facts: ServiceFile): Promise<void> {
  await writeFileDurably(pathOf(layout), `${JSON.stringify(facts)}\n`, 0o600);
}

/** What the file says, or undefined if there is none that can be read. */
export async function readServiceFile(layout: HomeLayout): Promise<ServiceFile | undefined> {
  const text = await readTextIfThere(pathOf(layout));
  if (text === undefined) return undefined;
  try {
    return ServiceFile.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export async function removeServiceFile(layout: HomeLayout): Promise<void> {
  await rm(pathOf(layout), { force: true });
}
