import { closeSync, type Dirent, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigSource } from '../../config/config-source.ts';
import type { ContextPacket } from '../../contract/operations/guidance.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';

interface ContextParts {
  readonly layout: HomeLayout;
  readonly config: ConfigSource;
}

const HEAD_BYTES = 8192;

/** The packets of the home: `context/*.md`, and `context/<repo>/*.md` for what concerns one repo. */
export function contextPackets({ layout, config }: ContextParts): ContextPacket[] {
  const names = config.repos().map(({ name }) => name);
  const entries = entriesOf(layout.context);
  const folders = entries.filter((entry) => entry.isDirectory());
  const below = folders.flatMap(({ name: folder }) => {
    const path = join(layout.context, folder);
    return packetsIn(path, entriesOf(path), { folder, repo: names.find((name) => name === folder) ?? null });
  });
  return [...packetsIn(layout.context, entries, null), ...below];
}

/** Those that concern a set of repos: the general ones and theirs. */
export function packetsFor(packets: readonly ContextPacket[], repos: readonly string[]): ContextPacket[] {
  return packets.filter(
    ({ repo, name }) => (repo === null && !name.includes('/')) || (repo !== null && repos.includes(repo)),
  );
}

function packetsIn(
  path: string,
  entries: readonly Dirent[],
  below: { folder: string; repo: ContextPacket['repo'] } | null,
): ContextPacket[] {
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.md')).map(({ name }) => name);
  return files.map((file) => {
    const stem = file.slice(0, -'.md'.length);
    const place = join(path, file);
    const { text, bytes } = headOf(place);
    return {
      name: below === null ? stem : `${below.folder}/${stem}`,
      purpose: purposeOf(text),
      repo: below?.repo ?? null,
      path: place,
      bytes,
    };
  });
}

function headOf(path: string): { text: string; bytes: number } {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(HEAD_BYTES);
    const read = readSync(file, buffer, 0, HEAD_BYTES, 0);
    return { text: buffer.toString('utf8', 0, read), bytes: fstatSync(file).size };
  } finally {
    closeSync(file);
  }
}

/** `purpose:` of the front matter, else the first line that is text and no heading. */
export function purposeOf(text: string): string {
  const front = /^---\r?\n([\s\S]*?)\r?\n---(\r?\n|$)/.exec(text);
  const named = /^purpose:\s*(.+)$/m.exec(front?.[1] ?? '')?.[1];
  if (named !== undefined) return named.trim().replace(/^(["'])(.*)\1$/, '$2');
  const lines = text.slice(front?.[0].length ?? 0).split('\n');
  return (lines.find((line) => /^\s*[^#\s<]/.test(line)) ?? '').trim().slice(0, 200);
}

function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true }).toSorted((one, other) => (one.name < other.name ? -1 : 1));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
