import type { Dirent } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContextPacket } from '../../contract/operations/guidance.ts';
import type { ConfigSource } from '../../config/config-source.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';

interface ContextParts {
  readonly layout: HomeLayout;
  readonly config: ConfigSource;
}

const HEAD_BYTES = 8192;

/** The packets of the home: `context/*.md`, and `context/<repo>/*.md` for what concerns one repo. */
export async function contextPackets({ layout, config }: ContextParts): Promise<ContextPacket[]> {
  const names = config.repos().map(({ name }) => name);
  const entries = await entriesOf(layout.context);
  const own = await packetsIn(layout.context, entries, null);
  const folders = entries.filter((entry) => entry.isDirectory());
  const below = await Promise.all(
    folders.map(async ({ name: folder }) => {
      const path = join(layout.context, folder);
      return packetsIn(path, await entriesOf(path), { folder, repo: names.find((name) => name === folder) ?? null });
    }),
  );
  return [...own, ...below.flat()];
}

/** Those that concern a set of repos: the general ones and theirs. */
export function packetsFor(packets: readonly ContextPacket[], repos: readonly string[]): ContextPacket[] {
  return packets.filter(({ repo, name }) => (repo === null && !name.includes('/')) || (repo !== null && repos.includes(repo)));
}

async function packetsIn(path: string, entries: readonly Dirent[], below: { folder: string; repo: ContextPacket['repo'] } | null): Promise<ContextPacket[]> {
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.md')).map(({ name }) => name);
  return Promise.all(
    files.map(async (file) => {
      const stem = file.slice(0, -'.md'.length);
      const place = join(path, file);
      const { size } = await stat(place);
      return { name: below === null ? stem : `${below.folder}/${stem}`, purpose: purposeOf(await headOf(place)), repo: below?.repo ?? null, path: place, bytes: size };
    }),
  );
}

async function headOf(path: string): Promise<string> {
  await using file = await open(path, 'r');
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  return buffer.toString('utf8', 0, bytesRead);
}

/** `purpose:` of the front matter, else the first line that is text and no heading. */
export function purposeOf(text: string): string {
  const front = /^---\r?\n([\s\S]*?)\r?\n---(\r?\n|$)/.exec(text);
  const named = /^purpose:\s*(.+)$/m.exec(front?.[1] ?? '')?.[1];
  if (named !== undefined) return named.trim().replace(/^(["'])(.*)\1$/, '$2');
  const lines = text.slice(front?.[0].length ?? 0).split('\n');
  return (lines.find((line) => /^\s*[^#\s<]/.test(line)) ?? '').trim().slice(0, 200);
}

async function entriesOf(path: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
