import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { AttemptOutcome, AttemptRequest } from '../../src/contract/attempt.ts';
import { newAttemptHome, type AttemptHome, type AttemptOfTest } from './attempt-home.ts';

/** Files by path; null deletes one, and `{ from }` renames it. */
export type Change = Record<string, string | null | { readonly from: string }>;

/** A home whose repos have upstreams beside them, and worktrees in which `merge_upstream` is to merge. */
export interface MergeHome extends AttemptHome {
  /** Commits on the workspace's branch; the worktrees are made there. */
  ours(repo: string, change: Change, message?: string): string;
  /** Commits on upstream's `main`. */
  theirs(repo: string, change: Change, message?: string): string;
  upstream(repo: string): string;
  /** The request of a merge step, as changes to the usual one. */
  request(change?: Partial<AttemptRequest>): Partial<AttemptRequest>;
  merge(change?: Partial<AttemptRequest>): Promise<AttemptOfTest & { readonly outcome: AttemptOutcome }>;
  /** Runs git in a worktree of the run. */
  inWorktree(repo: string, ...args: string[]): string;
}

export function newMergeHome(
  t: { after(work: () => void): void },
  wanted: Parameters<typeof newAttemptHome>[1] & { readonly repos: readonly string[] },
): MergeHome {
  const home = newAttemptHome(t, wanted);
  const upstream = (repo: string): string => join(home.layout.home, 'upstream', `${repo}.git`);
  for (const repo of wanted.repos) {
    home.git(repo, 'clone', '--quiet', '--bare', '.', upstream(repo));
    home.git(repo, 'update-ref', 'refs/heads/task', 'main');
  }
  const request: MergeHome['request'] = (change = {}) => ({
    step: 'merge_upstream' as AttemptRequest['step'],
    work: { kind: 'script', script: 'merge_upstream', pushes: [], pulls: [] },
    repos: wanted.repos.map((name) => ({
      name: name as AttemptRequest['repos'][number]['name'],
      role: 'edit',
      rootFolder: home.layout.root(name),
      cloneFolder: home.layout.clone('task', name),
      commit: home.git(name, 'rev-parse', 'task') as AttemptRequest['repos'][number]['commit'],
      base: home.start(name) as AttemptRequest['repos'][number]['base'],
      defaultBranch: 'main',
      upstream: upstream(name),
      pushUrl: upstream(name),
      dependsOn: [],
      setup: null,
      copy: [],
      cache: [],
      cacheFolder: join(home.layout.caches, 'task', name),
      ...wanted.repo,
    })),
    ...change,
  });
  return {
    ...home,
    request,
    upstream,
    ours: (repo, change, message = 'ours') => commitOn(home.layout.root(repo), 'task', change, message),
    theirs: (repo, change, message = 'theirs') => commitOn(upstream(repo), 'main', change, message),
    async merge(change) {
      const attempt = home.attempt(request(change));
      attempt.startHost({ HOME: home.layout.home });
      return { ...attempt, outcome: await attempt.untilOutcome() };
    },
    inWorktree: (repo, ...args) => gitIn(join(home.runFolder, repo), args),
  };
}

/** As a person does it: in a clone, with a push. */
function commitOn(repository: string, branch: string, change: Change, message: string): string {
  const work = mkdtempSync(join(tmpdir(), 'takt-commit-'));
  try {
    gitIn(work, ['clone', '--quiet', '--branch', branch, repository, '.']);
    for (const [path, text] of Object.entries(change)) {
      mkdirSync(dirname(join(work, path)), { recursive: true });
      if (text === null) gitIn(work, ['rm', '--quiet', '-r', path]);
      else if (typeof text === 'string') writeFileSync(join(work, path), text);
      else gitIn(work, ['mv', text.from, path]);
    }
    gitIn(work, ['add', '--all']);
    gitIn(work, ['commit', '--quiet', '--allow-empty', '-m', message]);
    gitIn(work, ['push', '--quiet', 'origin', branch]);
    return gitIn(work, ['rev-parse', 'HEAD']);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

export function gitIn(folder: string, args: readonly string[]): string {
  const who = Object.fromEntries(
    ['AUTHOR', 'COMMITTER'].flatMap((role) => [
      [`GIT_${role}_NAME`, 'Grace'],
      [`GIT_${role}_EMAIL`, 'grace@example.org'],
    ]),
  );
  const safe = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' };
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', ...who, ...safe };
  return execFileSync('git', args, { cwd: folder, env, encoding: 'utf8' }).trim();
}
