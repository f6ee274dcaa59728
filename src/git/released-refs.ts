import { UPSTREAM_REFS } from './root-repo.ts';

/** Where branches of the fork that a repo is pushed to are kept; clones do not get them, nor those of upstream. */
export const FORK_REFS = 'refs/remotes/fork/';

/** For rev-list, after `--not`: all that upstream or the fork has. */
export const RELEASED: readonly string[] = [`--glob=${UPSTREAM_REFS}*`, `--glob=${FORK_REFS}*`];

/** The prefix of the refs that say where the branches stand that are pushed to. */
export function pushedRefs({ upstream, pushUrl }: { readonly upstream: string; readonly pushUrl: string }): string {
  return pushUrl === upstream ? UPSTREAM_REFS : FORK_REFS;
}
