import { Fault } from '../contract/faults.ts';
import { CommitId } from '../contract/ids.ts';
import { MERGE_END } from './merge-script.ts';

/** What merging came to in one repo. */
export type MergedRepo =
  | { readonly repo: string; readonly kind: 'current' | 'forward' | 'merge'; readonly commit: CommitId }
  | { readonly repo: string; readonly kind: 'conflict'; readonly files: readonly ConflictedFile[] }
  | { readonly repo: string; readonly kind: 'unrelated' }
  /** Comes after what the merge itself came to. */
  | { readonly repo: string; readonly kind: 'blocked'; readonly obstacles: readonly Obstacle[] };

/** A path that the merge brings, and the repository within the worktree that is in its way. */
export interface Obstacle {
  readonly path: string;
  readonly repository: string;
}

/** A file that could not be merged, and the sentence in which git says why, for people; null if it has none. */
export interface ConflictedFile {
  readonly path: string;
  readonly words: string | null;
}

/** Reads what the script of `mergeScript` printed. Fault GIT_FAILED if it is not whole. */
export function readMergeFrames(printed: Buffer): MergedRepo[] {
  const repos: MergedRepo[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = printed.indexOf('\n', at);
    if (lineEnd === -1) throw broken('it broke off');
    const line = printed.toString('utf8', at, lineEnd);
    if (line === MERGE_END) return repos;
    const [, repo, kind = '', commit, bytes] = /^takt-merge (\S+) ([a-z]+) (-|[0-9a-f]{40}) (\d+)$/.exec(line) ?? [];
    at = lineEnd + 1 + Number(bytes ?? 0);
    if (repo === undefined || at > printed.length) throw broken(`it holds \`${line.slice(0, 200)}\``);
    repos.push(frameOf(repo, kind, commit, printed.subarray(lineEnd + 1, at)));
  }
}

function frameOf(repo: string, kind: string, commit: string | undefined, bytes: Buffer): MergedRepo {
  switch (kind) {
    case 'current':
    case 'forward':
    case 'merge':
      return { repo, kind, commit: CommitId.parse(commit) };
    case 'conflict':
      return { repo, kind, files: conflictedFiles(bytes.toString('utf8')) };
    case 'unrelated':
      return { repo, kind };
    case 'blocked':
      return { repo, kind, obstacles: obstaclesIn(bytes.toString('utf8')) };
    default:
      throw broken(`it holds the word ${kind}`);
  }
}

/**
 * The paths of `git merge-tree -z`: after the tree come entries `<mode> <object> <stage>` TAB `<path>`, then an empty
 * one, then what is said about them. A conflict without an entry, as some renames of folders make, is in the latter.
 */
function conflictedFiles(printed: string): ConflictedFile[] {
  const [, ...records] = printed.split('\0');
  const end = records.indexOf('');
  const paths = (end === -1 ? records : records.slice(0, end)).flatMap(
    (entry) => /^\d+ [0-9a-f]+ [123]\t([^]+)$/.exec(entry)?.[1] ?? [],
  );
  const words = conflictWords(records.slice(end + 1));
  const files = new Set(paths.length > 0 ? paths : words.keys());
  return [...files].map((path) => ({ path, words: words.get(path) ?? null }));
}

/** Records `<count>`, so many paths, a type such as `CONFLICT (rename/delete)`, and a sentence; the first of each path. */
function conflictWords(records: readonly string[]): Map<string, string> {
  const words = new Map<string, string>();
  for (let at = 0; at + 2 < records.length;) {
    const count = Number(records[at]);
    if (!Number.isInteger(count) || count < 0) break;
    const [type = '', sentence = ''] = records.slice(at + 1 + count, at + 3 + count);
    for (const path of records.slice(at + 1, at + 1 + count))
      if (type.startsWith('CONFLICT') && !words.has(path)) words.set(path, sentence.trim());
    at += count + 3;
  }
  return words;
}

/** git names an untracked folder, and ends its name with a slash, only where it is a repository. */
function obstaclesIn(printed: string): Obstacle[] {
  const records = printed.split('\0');
  const end = records.indexOf('');
  const repositories = records.slice(0, end).flatMap((path) => (path.endsWith('/') ? [path.slice(0, -1)] : []));
  return records.slice(end + 1, -1).flatMap((path) => {
    const repository = repositories.find((each) => `${path}/`.startsWith(`${each}/`) || each.startsWith(`${path}/`));
    return repository === undefined ? [] : [{ path, repository }];
  });
}

function broken(how: string): Fault {
  return new Fault('GIT_FAILED', `What the merge reported is not whole: ${how}.`);
}
