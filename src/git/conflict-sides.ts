import { severalAtATime } from '../platform/several-at-a-time.ts';
import { git, gitResult, linesOf } from './git.ts';
import type { ConflictedFile } from './merge-frames.ts';

/** What one side of a merge did to a file; paths are those of the other name. */
export type Deed =
  | { readonly kind: 'added' | 'changed' | 'deleted'; readonly path: string }
  | { readonly kind: 'renamed'; readonly path: string; readonly to: string }
  /** It has a folder of that name. */
  | { readonly kind: 'filled'; readonly path: string }
  | { readonly kind: 'none' };

export interface Side {
  readonly deed: Deed;
  /** The last commit that touched the file on this side: a short id and its first line; null where it was not looked for. */
  readonly last: string | null;
}

/** A file that two commits cannot be merged in, with what each did to it. */
export interface ConflictSides extends ConflictedFile {
  readonly ours: Side;
  readonly theirs: Side;
}

interface TwoCommits {
  readonly rootFolder: string;
  readonly ours: string;
  readonly theirs: string;
  readonly signal: AbortSignal;
}

const SUBJECTS_LIMIT = 20;
const AT_ONCE = 4;
const CHANGES_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * What both sides did to the files that conflict, from the commits in a root repo. A file that both renamed is told of
 * once, under the name that it had.
 */
export async function conflictSides(
  p: TwoCommits & { readonly files: readonly ConflictedFile[] },
): Promise<ConflictSides[]> {
  const base = linesOf((await gitResult(p.rootFolder, ['merge-base', p.ours, p.theirs], p)).stdout.toString('utf8'))[0];
  if (base === undefined) return p.files.map((file) => ({ ...file, ours: NOT_KNOWN, theirs: NOT_KNOWN }));
  const [ours, theirs] = await Promise.all([changesOf(p, base, p.ours), changesOf(p, base, p.theirs)]);
  const places = new Map<string, Place>();
  for (const file of p.files) {
    const path = [p.ours, p.theirs].reduce((name, commit) => without(name, `~${commit}`), file.path);
    const before = ours.renamedFrom.get(path) ?? theirs.renamedFrom.get(path) ?? path;
    const words = file.words?.replaceAll(p.ours, 'ours').replaceAll(p.theirs, 'theirs') ?? null;
    if (!places.has(path)) places.set(path, { path, before, words });
  }
  const told = [...places.values()].filter(({ path, before }) => path === before || !places.has(before));
  return severalAtATime(
    told.map((place, index) => ({ ...place, index })),
    { limit: AT_ONCE, signal: p.signal },
    (place) => sidesOf(p, place, ours, theirs),
  );
}

interface Place extends ConflictedFile {
  /** Its path where the two parted. */
  readonly before: string;
}

const NOT_KNOWN: Side = { deed: { kind: 'none' }, last: null };
const without = (text: string, end: string): string => (text.endsWith(end) ? text.slice(0, -end.length) : text);

interface Changes {
  readonly deeds: ReadonlyMap<string, Deed>;
  readonly renamedFrom: ReadonlyMap<string, string>;
}

async function changesOf({ rootFolder, signal }: TwoCommits, base: string, side: string): Promise<Changes> {
  const args = ['diff-tree', '-r', '-z', '--name-status', '--find-renames', '--ignore-submodules=none', base, side];
  const records = (await git(rootFolder, args, { signal, outputLimitBytes: CHANGES_LIMIT_BYTES })).split('\0');
  const deeds = new Map<string, Deed>();
  const renamedFrom = new Map<string, string>();
  for (let at = 0; at + 1 < records.length; at += 2) {
    const [status = '', path = ''] = records.slice(at, at + 2);
    if (status.startsWith('R')) {
      const to = records[at + 2] ?? '';
      at += 1;
      deeds.set(path, { kind: 'renamed', path, to });
      renamedFrom.set(to, path);
    } else {
      deeds.set(path, { kind: status === 'A' ? 'added' : status === 'D' ? 'deleted' : 'changed', path });
    }
  }
  return { deeds, renamedFrom };
}

function deedOf(changes: Changes, path: string, before: string): Deed {
  const { deeds, renamedFrom } = changes;
  const own = deeds.get(renamedFrom.get(path) ?? path);
  // A file that made room for a folder is among the deleted ones.
  const isGone = own === undefined || own.kind === 'deleted';
  if (isGone && isFilled(changes, path)) return { kind: 'filled', path };
  return own ?? deeds.get(before) ?? { kind: 'none' };
}

/** True if a file came to be in a folder of that name. */
function isFilled({ deeds, renamedFrom }: Changes, path: string): boolean {
  const isWithin = (other: string): boolean => other.startsWith(`${path}/`);
  const isAdded = [...deeds.values()].some((deed) => deed.kind === 'added' && isWithin(deed.path));
  return isAdded || [...renamedFrom.keys()].some(isWithin);
}

async function sidesOf(
  p: TwoCommits,
  { path, before, words, index }: Place & { readonly index: number },
  oursChanges: Changes,
  theirsChanges: Changes,
): Promise<ConflictSides> {
  const side = async (changes: Changes, commit: string, other: string): Promise<Side> => {
    const deed = deedOf(changes, path, before);
    const paths = [path, before, ...(deed.kind === 'renamed' ? [deed.to] : [])];
    return { deed, last: index < SUBJECTS_LIMIT ? await lastCommit(p, commit, other, paths) : null };
  };
  return {
    path,
    words,
    ours: await side(oursChanges, p.ours, p.theirs),
    theirs: await side(theirsChanges, p.theirs, p.ours),
  };
}

async function lastCommit(
  { rootFolder, signal }: TwoCommits,
  commit: string,
  other: string,
  paths: readonly string[],
): Promise<string | null> {
  const log = ['--literal-pathspecs', 'log', '--max-count=1', '--no-show-signature', '--no-color', '--format=%h %s'];
  const args = [...log, commit, `^${other}`, '--', ...new Set(paths)];
  return linesOf(await git(rootFolder, args, { signal }))[0] ?? null;
}
