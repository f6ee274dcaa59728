import type { CloneView } from './clone-view.ts';
import { type BytePath, pathsIn, standingAt } from './byte-paths.ts';

/**
 * Makes git look, in a view, at files that somebody told it to take for unchanged: by `--assume-unchanged`, or by
 * `--skip-worktree`. A sparse checkout sets the latter for all that it leaves out, so only what is there is looked at.
 */
export async function forgetPromises(
  view: CloneView,
  { folder, signal }: { readonly folder: string; readonly signal: AbortSignal },
): Promise<void> {
  const listed = pathsIn(await view.git(['ls-files', '-v', '-z'], { signal, encoding: 'latin1' }));
  const marked = (mark: RegExp): BytePath[] => listed.filter((line) => mark.test(line)).map((line) => line.slice(2));
  const skipped: BytePath[] = [];
  for (const path of marked(/^S /i)) {
    const standing = await standingAt(folder, path);
    if (standing.path === path && standing.kind !== 'nothing') skipped.push(path);
  }
  const forget = async (option: string, paths: readonly BytePath[]): Promise<void> => {
    if (paths.length === 0) return;
    const input = Buffer.from(paths.map((path) => `${path}\0`).join(''), 'latin1');
    await view.git(['update-index', '-z', option, '--stdin'], { signal, input });
  };
  // A small letter is the mark of the former, `S` of the latter (git-ls-files(1), `-v`).
  await forget('--no-assume-unchanged', marked(/^[a-z] /));
  await forget('--no-skip-worktree', skipped);
}
