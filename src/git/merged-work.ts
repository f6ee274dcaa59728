import { gitResult, git, linesOf } from './git.ts';
import { isAncestor, mergeTrees } from './history.ts';
import { Fault } from '../contract/faults.ts';

type Cancellable = { readonly signal: AbortSignal };

const COMMITS_LOOKED_AT = 1_000;
const PATCHES_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * True if all that `tip` did is in `trunk`, however it got there: merged, rebased, picked, or squashed into one commit.
 * In doubt it is false.
 */
export async function isMerged(folder: string, tip: string, trunk: string, { signal }: Cancellable): Promise<boolean> {
  if (await isAncestor(folder, tip, trunk, { signal })) return true;
  const fork = await gitResult(folder, ['merge-base', tip, trunk], { signal });
  if (fork.exitCode !== 0) return false;
  if (await addsNothing(folder, tip, trunk, { signal })) return true;
  return isSquashed(folder, fork.stdout.toString('utf8').trim(), tip, trunk, { signal });
}

/** Merging it would change no file. */
async function addsNothing(folder: string, tip: string, trunk: string, { signal }: Cancellable): Promise<boolean> {
  const merged = await mergeTrees(folder, trunk, tip, { signal });
  return 'tree' in merged && merged.tree === (await git(folder, ['rev-parse', `${trunk}^{tree}`], { signal })).trim();
}

/** The trunk went on over the same lines, so patches are compared: that of each commit with that of all the work. */
async function isSquashed(
  folder: string,
  fork: string,
  tip: string,
  trunk: string,
  { signal }: Cancellable,
): Promise<boolean> {
  const plain = ['--no-ext-diff', '--no-textconv', '--no-color', '--full-index'];
  try {
    const whole = await patchIds(folder, ['diff-tree', '--patch', ...plain, fork, tip], { signal });
    const later = await patchIds(
      folder,
      ['log', '--patch', '--no-merges', ...plain, `--max-count=${COMMITS_LOOKED_AT}`, `${fork}..${trunk}`],
      { signal },
    );
    const each = await patchIds(
      folder,
      ['log', '--patch', '--no-merges', ...plain, `--max-count=${COMMITS_LOOKED_AT}`, `${fork}..${tip}`],
      { signal },
    );
    const isOneOfThem = (id: string): boolean => later.includes(id);
    return (whole.length > 0 && whole.every(isOneOfThem)) || (each.length > 0 && each.every(isOneOfThem));
  } catch (error) {
    // Too much to compare; then nobody says that it is merged.
    if (error instanceof Fault && error.code === 'GIT_FAILED') return false;
    throw error;
  }
}

async function patchIds(folder: string, args: readonly string[], { signal }: Cancellable): Promise<string[]> {
  const patches = await git(folder, args, { signal, outputLimitBytes: PATCHES_LIMIT_BYTES });
  const ids = await git(folder, ['patch-id', '--stable'], { signal, input: patches });
  return linesOf(ids).map((line) => line.slice(0, 40));
}
