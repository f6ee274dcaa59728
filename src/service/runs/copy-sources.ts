import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, normalize, relative, sep } from 'node:path';
import type { AttemptRepo } from '../../contract/attempt.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';

/**
 * Where the untracked files come from that a fresh worktree needs: the workspace clone's own, else that of the home's
 * `config/files/<repo>/`. An agent may work in the clone, so a link in it, or in its place, may not lead out of it. The
 * paths are free of links, and whoever reads them later has to see to it that they still are.
 */
export async function copySources(
  layout: HomeLayout,
  workspace: string,
  repo: string,
  paths: readonly string[],
): Promise<AttemptRepo['copy']> {
  const clone = layout.clone(workspace, repo);
  return Promise.all(
    paths.filter(staysBelow).map(async (path) => {
      const own = await fileInClone(layout.home, clone, path);
      return { from: own ?? (await withoutLinks(join(layout.copiedFiles, repo, path))), to: path };
    }),
  );
}

function staysBelow(path: string): boolean {
  return !isAbsolute(path) && !normalize(path).startsWith('..');
}

/** The home is the operator's, and may itself be reached by links. */
async function fileInClone(home: string, clone: string, path: string): Promise<string | undefined> {
  return ifThere(async () => {
    const top = join(await realpath(home), relative(home, clone));
    const above = await realpath(dirname(join(top, path)));
    if (above !== top && !above.startsWith(top + sep)) return undefined;
    const place = join(above, basename(path));
    return (await lstat(place)).isFile() ? place : undefined;
  });
}

/** The operator may keep such a file somewhere else; one that is missing is met when it is read. */
async function withoutLinks(path: string): Promise<string> {
  return (await ifThere(() => realpath(path))) ?? path;
}

async function ifThere<Value>(look: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await look();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return undefined;
    throw error;
  }
}
