import { statfs } from 'node:fs/promises';

/** What is left on the file system of a folder. */
export interface DiskSpace {
  /** Bytes that this user may still write. */
  readonly freeBytes: number;
  /** Files that may still be made; null where the file system has no fixed number of them. */
  readonly freeFiles: number | null;
}

const FULL_BELOW_BYTES = 1024 * 1024;

/** Undefined if nobody can tell: the folder is gone or may not be read. */
export async function diskSpace(folder: string): Promise<DiskSpace | undefined> {
  try {
    const { bavail, bsize, files, ffree } = await statfs(folder);
    return { freeBytes: bavail * bsize, freeFiles: files > 0 ? ffree : null };
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}

/** True if nothing of any size can be written there. */
export async function isDiskFull(folder: string): Promise<boolean> {
  const space = await diskSpace(folder);
  return space !== undefined && (space.freeBytes < FULL_BELOW_BYTES || space.freeFiles === 0);
}
