import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { Fault } from '../contract/faults.ts';
import { writeFileDurably } from '../platform/files.ts';
import { sha256 } from '../platform/sha256.ts';

/** The hash of a file that is not there. */
export const NO_FILE = 'none';

export interface FileText {
  readonly text: string;
  /** SHA-256 of the bytes, or `none`. */
  readonly hash: string;
}

/** An address or a variable in these may hold a secret: they are for their owner alone. */
export const PRIVATE_MODE = 0o600;
const PUBLIC_MODE = 0o644;

/** The text of a file; empty with the hash `none` if there is no such file, CONFIG_INVALID for what is none. */
export async function readFileText(path: string): Promise<FileText> {
  const { text, hash } = await readFileNow(path);
  return { text, hash };
}

/** The same with the bits of its mode; all of them if there is no such file. */
async function readFileNow(path: string): Promise<FileText & { readonly mode: number }> {
  try {
    // A pipe would let the reader wait for ever.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const facts = await file.stat();
    if (!facts.isFile())
      throw new Fault('CONFIG_INVALID', `${path} is no regular file.`, { hint: 'Put a file of text in its place.' });
    const bytes = await file.readFile();
    return { text: bytes.toString('utf8'), hash: sha256(bytes), mode: facts.mode & 0o777 };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { text: '', hash: NO_FILE, mode: 0o777 };
    throw error;
  }
}

const edits = new Map<string, Promise<unknown>>();

/**
 * Changes a file that people edit too: the change is made on what the file says now, refused with FILE_CHANGED if that
 * is not what `expectedHash` says, and written durably. Edits of one file come one after the other. `mode` is the most
 * that others may do with the file (0644 if left out); one that allows less stays as it is.
 */
export async function editFile(
  path: string,
  options: { name: string; expectedHash?: string | undefined; mode?: number; change: (text: string) => string },
): Promise<FileText> {
  const before = edits.get(path) ?? Promise.resolve();
  // Whoever edited before has been told of its failure; here it only matters that it is over.
  const edit = before.then(
    () => editNow(path, options),
    () => editNow(path, options),
  );
  edits.set(path, edit);
  try {
    return await edit;
  } finally {
    if (edits.get(path) === edit) edits.delete(path);
  }
}

async function editNow(path: string, options: Parameters<typeof editFile>[1]): Promise<FileText> {
  const { mode, ...current } = await readFileNow(path);
  if (options.expectedHash !== undefined && options.expectedHash !== current.hash) {
    throw new Fault('FILE_CHANGED', `${options.name} is not what it was when you read it.`, {
      detail: `Its hash is ${current.hash} now.`,
    });
  }
  const text = options.change(current.text);
  if (text === current.text && current.hash !== NO_FILE) return current;
  await writeFileDurably(path, text, mode & (options.mode ?? PUBLIC_MODE));
  return { text, hash: sha256(text) };
}
