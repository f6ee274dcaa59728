import { createHash } from 'node:crypto';
import { lstat, readFile, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Names, modes, times of change and contents of all files and folders below a folder, and its own: two equal pictures
 * mean that nothing in it was touched. Times of reading are left out.
 */
export async function pictureOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = [folder, ...entries.map((entry) => join(entry.parentPath, entry.name))].toSorted();
  return Promise.all(
    paths.map(async (path) => {
      const facts = await lstat(path, { bigint: true });
      const content = facts.isFile()
        ? createHash('sha256')
            .update(await readFile(path))
            .digest('hex')
        : facts.isSymbolicLink()
          ? await readlink(path)
          : '';
      return `${path} ${facts.mode} ${facts.uid} ${facts.mtimeNs} ${facts.ctimeNs} ${content}`;
    }),
  );
}
