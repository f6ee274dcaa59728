import { lstat, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize, sep } from 'node:path';
import type { AttemptRepo } from '../../contract/attempt.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';

/**
 * Where the untracked files come from that a fresh worktree needs: the workspace clone's own, else that of the home's
 * `config/files/<repo>/`. An agent may work in the clone, so a link there is not followed, and leads nowhere else.
 */
export async function copySources(
  layout: HomeLayout,
  workspace: string,
  repo: string,
  paths: readonly string[],
): Promise<AttemptRepo['copy']> {
  return Promise.all(
    paths.filter(staysBelow).map(async (path) => {
      const own = await plainFileBelow(layout.clone(workspace, repo), path);
      return { from: own ?? join(layout.copiedFiles, repo, path), to: path };
    }),
  );
}

function staysBelow(path: string): boolean {
  return !isAbsolute(path) && !normalize(path).startsWith('..');
}

async function plainFileBelow(folder: string, path: string): Promise<string | undefined> {
  try {
    const top = await realpath(folder);
    const place = join(top, path);
    const above = await realpath(dirname(place));
    if (above !== top && !above.startsWith(top + sep)) return undefined;
    return (await lstat(place)).isFile() ? place : undefined;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}
