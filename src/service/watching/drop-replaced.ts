import { join } from 'node:path';
import { git, linesOf } from '../../git/git.ts';
import { isMerged } from '../../git/merged-work.ts';
import { moveRefs, readHeads, readRefs, refCommit } from '../../git/refs.ts';
import { UPSTREAM_REFS } from '../../git/root-repo.ts';
import { isThere, readTextIfThere } from '../../platform/files.ts';
import { REPLACED_REFS } from './keep-replaced.ts';

/** Comparing patches takes some git processes for each pin; what is left waits for the next time. */
const COMPARED_LIMIT = 50;

interface ReplacedPins {
  readonly rootFolder: string;
  readonly defaultBranch: string;
  /** The branches whose every move takt sees: those of the repo's workspaces. */
  readonly watched: readonly string[];
  /** What was compared in vain, by ref: the trunk's commit then. Kept by the caller, and written here. */
  readonly compared: Map<string, string>;
  readonly signal: AbortSignal;
}

/**
 * Drops pins of what force pushes and deletions replaced once that work is safe without them, and gives how many. Safe
 * means: a workspace's branch holds the commit again (whatever takes it off pins it anew), or the default branch does,
 * or the workspace is gone and all that the commit did is in upstream's default branch, squash merges included. A pin of
 * work that is nowhere else stays for ever, since nobody but the operator can say that it is worth nothing.
 */
export async function dropReplaced(p: ReplacedPins): Promise<number> {
  // At rest no git process runs, and most root repos never saw a force push.
  if (!(await hasPins(p.rootFolder))) return 0;
  const pins = await readRefs(p.rootFolder, REPLACED_REFS, p);
  const safe = new Set(await heldByBranches(p));
  const trunk = await refCommit(p.rootFolder, UPSTREAM_REFS + p.defaultBranch, p);
  let count = 0;
  for (const [name, commit] of pins) {
    const branch = name.slice(0, name.lastIndexOf('/'));
    if (trunk === null || safe.has(name) || p.watched.includes(branch) || p.compared.get(name) === trunk) continue;
    if ((count += 1) > COMPARED_LIMIT) break;
    if (await isMerged(p.rootFolder, commit, trunk, p)) safe.add(name);
    else p.compared.set(name, trunk);
  }
  const dropped = [...pins].filter(([name]) => safe.has(name));
  const moves = dropped.map(([name, from]) => ({ ref: REPLACED_REFS + name, from, to: null }));
  await moveRefs(p.rootFolder, moves, p);
  for (const [name] of dropped) p.compared.delete(name);
  return dropped.length;
}

async function hasPins(rootFolder: string): Promise<boolean> {
  if (await isThere(join(rootFolder, REPLACED_REFS))) return true;
  return (await readTextIfThere(join(rootFolder, 'packed-refs')))?.includes(` ${REPLACED_REFS}`) === true;
}

/** The names of the pins whose commits these branches hold. */
async function heldByBranches({ rootFolder, defaultBranch, watched, signal }: ReplacedPins): Promise<string[]> {
  const heads = await readHeads(rootFolder, { signal });
  const ours = [defaultBranch, ...watched]
    .filter((branch) => heads.has(branch))
    .map((branch) => `refs/heads/${branch}`);
  const upstream = UPSTREAM_REFS + defaultBranch;
  const holders = (await refCommit(rootFolder, upstream, { signal })) === null ? ours : [...ours, upstream];
  if (holders.length === 0) return [];
  const args = ['for-each-ref', '--format=%(refname)', ...holders.map((ref) => `--merged=${ref}`), REPLACED_REFS];
  return linesOf(await git(rootFolder, args, { signal })).map((ref) => ref.slice(REPLACED_REFS.length));
}
