import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CommitId } from '../../contract/ids.ts';
import { NO_COMMIT } from '../../git/refs.ts';

/** One ref of one push, as the hook saw it; null means absent. */
export interface PushedRef {
  readonly branch: string;
  readonly from: CommitId | null;
  readonly to: CommitId | null;
}

/** A file of the spool. */
export interface PushNote {
  readonly file: string;
  readonly repo: string;
  readonly refs: readonly PushedRef[];
  /** True if no hook wrote it so. */
  readonly isBroken: boolean;
}

/** A hook that was killed leaves a file without its end; it counts as far as it goes. */
const ABANDONED_AFTER_MS = 60_000;
const LINE = /^[0-9a-f]{40} [0-9a-f]{40} \S+$/;
/** Stands for a file that nobody can read: no line of a push. */
const UNREADABLE = '?\n';

/**
 * Reads the notes of the spool that are complete, except those in `taken`. Synchronous, because it stands between a
 * push and its run, and the files are small.
 */
export function readPushNotes(spool: string, taken: ReadonlySet<string>): PushNote[] {
  return readdirSync(spool).flatMap((file) => {
    const repo = /^(.+)\.\d+\.\d+$/.exec(file)?.[1];
    if (repo === undefined || taken.has(file)) return [];
    const text = textOf(join(spool, file));
    if (text === undefined) return [];
    const lines = text.split('\n').slice(0, -1);
    const isBroken = lines.some((line) => line !== 'end' && !LINE.test(line));
    return [{ file, repo, refs: lines.flatMap(pushedRef), isBroken }];
  });
}

/** Keeps a file that no hook wrote so, out of the way, for whoever wants to see what it was. */
export function setPushNoteAside(spool: string, file: string): void {
  const aside = join(dirname(spool), 'broken-pushes');
  mkdirSync(aside, { recursive: true, mode: 0o700 });
  // One that was set aside before gives its place, so that there are no more of them than repos have processes.
  rmSync(join(aside, file), { recursive: true, force: true });
  renameSync(join(spool, file), join(aside, file));
}

export function removePushNote(spool: string, file: string): void {
  rmSync(join(spool, file), { force: true });
}

/** The text of a complete note; undefined if it is being written, or gone. */
function textOf(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    const isWhole = text.endsWith('end\n') || Date.now() - statSync(path).mtimeMs > ABANDONED_AFTER_MS;
    return isWhole ? text : undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'EISDIR' || code === 'EACCES') return UNREADABLE;
    throw error;
  }
}

function pushedRef(line: string): PushedRef[] {
  const [, from, to, branch] = /^([0-9a-f]{40}) ([0-9a-f]{40}) refs\/heads\/(\S+)$/.exec(line) ?? [];
  if (from === undefined || to === undefined || branch === undefined) return [];
  return [
    {
      branch,
      from: from === NO_COMMIT ? null : CommitId.parse(from),
      to: to === NO_COMMIT ? null : CommitId.parse(to),
    },
  ];
}
