import { rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { openConfig } from '../../config/config-source.ts';
import { faultOfSystemError } from '../../contract/system-fault.ts';
import { type GitOptions, gitResult, quietEnvironment } from '../../git/git.ts';
import { furnishRoot, furnitureFaults, isConfigAsWritten } from '../../git/root-furniture.ts';
import { shellWord } from '../../git/shell-word.ts';
import { isThere } from '../../platform/files.ts';
import { severalAtATime } from '../../platform/several-at-a-time.ts';
import type { HomeLayout } from '../../platform/home-layout.ts';
import { installPostReceive, postReceiveFault } from '../../service/watching/post-receive.ts';
import { openDatabaseToRead } from '../../store/database.ts';
import { listRoots } from '../../store/roots.ts';
import { bounded, type Check, type CheckResult, result } from './check.ts';
import { factsOf, fileAbove } from './folder-facts.ts';
import { whyGitIsNoHelp } from './git-settings-check.ts';
import { type RepoUser, usersOfRepo } from './repo-users.ts';
import { rightsFix } from './rights-fix.ts';
import { staleLocksIn } from './stale-locks.ts';

const ROOTS_AT_ONCE = 4;

export function rootChecks(layout: HomeLayout, signal: AbortSignal): Check[] {
  return [
    bounded('root repos', { signal }, (ended) => checkRoots(layout, ended)),
    bounded('locks', { signal }, () => checkLocks(layout)),
  ];
}

interface RootFault {
  readonly repo: string;
  readonly what: string;
  /** Pushes to it fail, or nothing can be fetched from it. */
  readonly isBroken: boolean;
  /** Null if `takt doctor --fix` puts it right. */
  readonly fix: string | null;
}

/** A root repo without its hooks still triggers, by the sweep, but later, and takes pushes that it should refuse. */
async function checkRoots(layout: HomeLayout, signal: AbortSignal): Promise<CheckResult> {
  const names = await rootNames(layout);
  const noGit = await whyGitIsNoHelp({ env: quietEnvironment(), signal });
  const bounds = { limit: ROOTS_AT_ONCE, signal };
  const look = (repo: string, ended: AbortSignal): Promise<RootFault[]> =>
    faultsOfRoot(layout, repo, { isGitHelp: noGit === undefined, signal: ended }).catch(async (error: unknown) => {
      ended.throwIfAborted();
      return [await oddRoot(layout, repo, error)];
    });
  const faults = (await severalAtATime(names, bounds, look)).flat();
  if (faults.length === 0) {
    if (names.length === 0) return result('root repos', 'ok', 'none yet');
    if (noGit !== undefined) return result('root repos', 'absent', `each has its hooks; whether it is whole ${noGit}`);
    return result('root repos', 'ok', 'each has its hooks, and its commits can be read');
  }
  const found = faults.map(({ repo, what }) => `${repo}: ${what}`).join('; ');
  const byHand = faults.flatMap(({ fix }) => fix ?? []);
  const repos = [...new Set(faults.filter(({ fix }) => fix === null).map(({ repo }) => repo))];
  const back =
    repos.length === 0 ? [] : ['`takt service restart` and `takt repo fetch` put hooks and configuration back.'];
  const state = faults.some(({ isBroken }) => isBroken) ? 'broken' : 'warning';
  const repair = repos.length === 0 ? undefined : () => furnishAll(layout, repos);
  return result('root repos', state, found, [...byHand, ...back].join(' '), repair);
}

/** One that cannot be put in order is no reason to leave the others. */
async function furnishAll(layout: HomeLayout, repos: readonly string[]): Promise<string> {
  const done: string[] = [];
  const kept: string[] = [];
  let failure: unknown;
  for (const repo of repos) {
    try {
      kept.push(...(await furnishRoot(layout.root(repo))));
      kept.push(...(await installPostReceive(layout.root(repo), repo, layout)).kept);
      done.push(repo);
    } catch (error) {
      failure ??= error;
    }
  }
  if (done.length === 0) throw failure;
  const copies =
    kept.length === 0 ? '' : `; as they were they are in ${kept.map((path) => relative(layout.home, path)).join(', ')}`;
  return `put hooks and configuration of ${done.join(', ')} back${copies}`;
}

/** As the store has them; where it cannot be read, as `repos.yaml` has them, of which some may not be mirrored yet. */
async function rootNames(layout: HomeLayout): Promise<string[]> {
  using store = openDatabaseToRead(layout.database);
  if (store !== undefined) return listRoots(store).map(({ repo }) => repo);
  const listed = openConfig(layout)
    .repos()
    .map(({ name }) => name);
  const mirrored = await Promise.all(listed.map((name) => isThere(layout.root(name))));
  return listed.filter((_, at) => mirrored[at]);
}

async function faultsOfRoot(
  layout: HomeLayout,
  repo: string,
  { isGitHelp, signal }: { readonly isGitHelp: boolean; readonly signal: AbortSignal },
): Promise<RootFault[]> {
  const folder = layout.root(repo);
  const broken = (what: string, fix: string): RootFault[] => [{ repo, what, isBroken: true, fix }];
  const facts = await factsOf(join(folder, 'HEAD'));
  if (facts === undefined)
    return broken('its folder is gone', `Bring ${folder} back from a backup, or remove and add ${repo} again.`);
  // git itself is asked: settings and its version decide whose repositories it trusts.
  if (
    facts.uid !== process.getuid?.() &&
    isGitHelp &&
    (await gitResult(folder, ['rev-parse', '--git-dir'], { signal })).exitCode !== 0
  ) {
    const trust = `git config --global --add safe.directory ${shellWord(folder)}`;
    return broken(
      `it belongs to user id ${facts.uid}, so git refuses it`,
      `Run takt as that user, or \`chown -R\` the home; if the owner is to stay: \`${trust}\`.`,
    );
  }
  const damage = isGitHelp ? await damageOf(folder, signal) : undefined;
  if (damage?.isOfSettings === true)
    return [
      {
        repo,
        what: `cannot be told while git’s configuration is not valid: ${damage.what}`,
        isBroken: false,
        fix: 'Mend the setting that git names.',
      },
    ];
  if (damage !== undefined && (await isConfigAsWritten(folder)))
    return broken(
      damage.what,
      `Bring ${folder} back from a backup, or remove and add ${repo} again: \`git -C ${shellWord(folder)} fsck\` says more.`,
    );
  const hook = await postReceiveFault(folder, repo, layout);
  const whats = [...(await furnitureFaults(folder)), ...(hook === undefined ? [] : [hook])];
  // With another configuration git may get nothing out of a repository that is whole.
  const until = damage === undefined ? [] : [`${damage.what} until that is put back`];
  return [...whats, ...until].map((what) => ({ repo, what, isBroken: damage !== undefined, fix: null }));
}

/** Something in a root repo is not of the kind that it should be, or may not be read. */
async function oddRoot(layout: HomeLayout, repo: string, error: unknown): Promise<RootFault> {
  const fault = faultOfSystemError(error);
  const { code, path = layout.root(repo), message } = error as NodeJS.ErrnoException;
  if (fault === undefined)
    return { repo, what: `could not be looked at: ${message}`, isBroken: false, fix: `Look at ${path}.` };
  const blocker = code === 'EISDIR' ? path : await fileAbove(path);
  const fix = blocker === undefined ? `${await rightsFix(path)}.` : `Move ${blocker} away, then \`takt doctor --fix\`.`;
  return { repo, what: fault.message.replace(/\.$/, ''), isBroken: true, fix };
}

interface Damage {
  readonly what: string;
  /** The repository is whole, and settings of the user keep git from reading it; `what` are git's words then. */
  readonly isOfSettings: boolean;
}

/** What git itself does not get out of a root repo; undefined if it gets what takt needs of every one. */
async function damageOf(folder: string, signal: AbortSignal): Promise<Damage | undefined> {
  const failed = await firstFailure(folder, { signal });
  if (failed === undefined) return undefined;
  const env = { ...quietEnvironment(), GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  const isOfSettings = (await firstFailure(folder, { signal, env })) === undefined;
  return { what: isOfSettings ? failed.words : failed.what, isOfSettings };
}

async function firstFailure(
  folder: string,
  options: GitOptions,
): Promise<{ readonly what: string; readonly words: string } | undefined> {
  const wordsOf = ({ stderr }: { readonly stderr: string }): string => stderr.trim().split('\n')[0]!;
  const refs = await gitResult(folder, ['for-each-ref', '--format=%(objectname)'], options);
  if (refs.exitCode !== 0) return { what: 'git cannot read its refs', words: wordsOf(refs) };
  const head = await gitResult(folder, ['cat-file', '-e', 'HEAD^{tree}'], options);
  if (head.exitCode === 0) return undefined;
  return { what: 'the commit of its default branch cannot be read', words: wordsOf(head) };
}

/** git waits for a lock file until it gives up, whoever left it; each file in the way is named. */
async function checkLocks(layout: HomeLayout): Promise<CheckResult> {
  const found: { folder: string; locks: string[]; users: RepoUser[] }[] = [];
  for (const repo of await rootNames(layout)) {
    const folder = layout.root(repo);
    const locks = await staleLocksIn(folder);
    if (locks.length > 0) found.push({ folder, locks, users: await usersOfRepo(folder) });
  }
  if (found.length === 0) return result('locks', 'ok', 'no git lock was left in a root repo');
  const named = found.map(({ locks, users }) => {
    const files = locks.map((path) => relative(layout.home, path)).join(', ');
    return users.length === 0
      ? `${files}: left by a git that is gone`
      : `${files}: old, and somebody may be at work there (${users.map(({ pid, program }) => `process ${pid}, ${program}`).join('; ')})`;
  });
  const free = found.filter(({ users }) => users.length === 0);
  const fix =
    free.length === 0
      ? 'Wait until it is done, or end it.'
      : `\`rm ${free.flatMap(({ locks }) => locks.map(shellWord)).join(' ')}\``;
  const folders = free.map(({ folder }) => folder);
  const repair = (): Promise<string | undefined> => removeLocks(layout, folders);
  return result('locks', 'warning', named.join('; '), fix, free.length === 0 ? undefined : repair);
}

/** Looks again, since somebody may have begun to work there meanwhile. */
async function removeLocks(layout: HomeLayout, folders: readonly string[]): Promise<string | undefined> {
  const removed: string[] = [];
  for (const folder of folders) {
    const locks = await staleLocksIn(folder);
    if (locks.length === 0 || (await usersOfRepo(folder)).length > 0) continue;
    for (const path of locks) {
      await rm(path, { force: true });
      removed.push(relative(layout.home, path));
    }
  }
  return removed.length === 0 ? undefined : `removed ${removed.join(', ')}`;
}
