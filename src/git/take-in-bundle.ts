import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attemptRefs } from '../contract/attempt.ts';
import { Fault } from '../contract/faults.ts';
import { BUNDLE_HEAD, BUNDLE_LEFTOVER } from './collect-script.ts';
import { fetchChecked } from './fetch-checked.ts';
import { git, linesOf } from './git.ts';
import { quotedPath } from './quoted-path.ts';
import { moveRefs, pinCommits, refCommit } from './refs.ts';

const HEADER_LIMIT_BYTES = 64 * 1024;

interface Intake {
  readonly rootFolder: string;
  readonly run: string;
  readonly attempt: string;
  readonly head: string | null;
  readonly leftover: string | null;
  readonly bundleFile: string | null;
  readonly signal: AbortSignal;
}

/**
 * Takes the commits of an attempt into a root repo and pins them below `attemptRefs(run, attempt)`, as `head` and
 * `leftover`. May be called twice with the same. Fault GIT_FAILED if the bundle is not what its frame said, holds an
 * object that git's checks refuse, or lacks one; the root repo is as before then.
 *
 * The bundle comes from inside a confinement. git 2.39 does not check objects when it fetches from a bundle file, so
 * it is opened in a repository of its own, and the root repo fetches from that one by the names that it expects.
 */
export async function takeInBundle(p: Intake): Promise<void> {
  const wanted = [
    { name: 'head', bundled: BUNDLE_HEAD, commit: p.head },
    { name: 'leftover', bundled: BUNDLE_LEFTOVER, commit: p.leftover },
  ].flatMap(({ commit, ...rest }) =>
    commit === null ? [] : [{ ...rest, commit, ref: `${attemptRefs(p.run, p.attempt)}/${rest.name}` }],
  );
  const missing: typeof wanted = [];
  for (const each of wanted) {
    if ((await refCommit(p.rootFolder, each.ref, p)) !== each.commit) missing.push(each);
  }
  if (missing.length === 0) return;
  const bundled = p.bundleFile === null ? new Map<string, string>() : await openBundle(p.bundleFile, p, missing);
  const here = missing.filter((each) => !bundled.has(each.bundled));
  // A head that was moved back to an older commit is in no bundle: the root repo has it already.
  for (const each of here) {
    if ((await refCommit(p.rootFolder, each.commit, p)) !== each.commit)
      throw refused(`${each.name} ${each.commit} is not in it`);
  }
  await pinCommits(p.rootFolder, here, p);
}

/** Fetches what the bundle holds of the wanted commits; returns the refs that were in it. */
async function openBundle(
  bundleFile: string,
  p: Intake,
  wanted: readonly { bundled: string; commit: string; ref: string }[],
): Promise<Map<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'takt-intake-'));
  try {
    await git(folder, ['init', '--quiet', '--bare', '--template='], p);
    await writeFile(join(folder, 'objects', 'info', 'alternates'), `${quotedPath(join(p.rootFolder, 'objects'))}\n`);
    await nameNeeded(folder, bundleFile, p);
    await git(
      folder,
      ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', bundleFile, '+refs/*:refs/bundled/*'],
      p,
    );
    const listed = linesOf(
      await git(folder, ['for-each-ref', '--format=%(objecttype) %(objectname) %(refname)', 'refs/bundled/'], p),
    );
    const found = new Map(
      listed
        .map((line) => line.split(' '))
        .map(([type, commit, ref]) => [ref!.replace('/bundled', ''), type === 'commit' ? commit! : '']),
    );
    for (const [ref, commit] of found) {
      const frame = { [BUNDLE_HEAD]: p.head, [BUNDLE_LEFTOVER]: p.leftover }[ref];
      if (frame !== commit) throw refused(`it holds ${ref} at ${commit === '' ? 'no commit' : commit}`);
    }
    const here = wanted.filter(({ bundled }) => found.has(bundled));
    const refs = here.map(({ bundled, ref }) => `+${bundled.replace('refs/', 'refs/bundled/')}:${ref}`);
    if (refs.length > 0) await fetchChecked(p.rootFolder, folder, refs, p);
    return found;
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** git wants the commits that a bundle builds on to be reachable from a ref; those that the root repo has get one. */
async function nameNeeded(folder: string, bundleFile: string, { signal }: { signal: AbortSignal }): Promise<void> {
  const file = await open(bundleFile);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_LIMIT_BYTES), 0, HEADER_LIMIT_BYTES, 0);
    const header = buffer.subarray(0, bytesRead).toString('latin1').split('\n\n', 1)[0] ?? '';
    const needed = [...header.matchAll(/^-([0-9a-f]{40})/gm)].map(([, commit]) => commit!);
    for (const [index, commit] of needed.entries()) {
      if ((await refCommit(folder, commit, { signal })) === null)
        throw refused(`it builds on ${commit}, which the root repo lacks`);
      await moveRefs(folder, [{ ref: `refs/needed/${index}`, from: null, to: commit }], { signal });
    }
  } finally {
    await file.close();
  }
}

function refused(how: string): Fault {
  return new Fault('GIT_FAILED', `The bundle from the worktree was refused: ${how}.`, {
    hint: 'The files are still in the run’s folder.',
  });
}
