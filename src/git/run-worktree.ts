import type { AttemptRepo } from '../contract/attempt.ts';
import { excludePatterns } from './exclude.ts';
import { quotedPath } from './quoted-path.ts';
import { shellWord } from './shell-word.ts';

export type WorktreeRepo = Pick<AttemptRepo, 'name' | 'rootFolder' | 'commit' | 'copy' | 'cache'>;

/**
 * Shell functions that the scripts begin with. They run inside the confinement, with the run's folder as working
 * folder, and call git with the work tree's own folder named: an agent may have changed what git would find by itself.
 * Hooks and a file system monitor that it planted do not run either; not for safety, which the walls give, but so that
 * they change nothing.
 */
export const SCRIPT_HEAD = `set -eu
umask 022
export LC_ALL=C GIT_TERMINAL_PROMPT=0 GIT_LFS_SKIP_SMUDGE=1 GIT_NO_REPLACE_OBJECTS=1
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
top=$PWD
in_repo() {
  repo=$1; shift
  git -C "$top/$repo" --git-dir="$top/$repo/.git" --work-tree="$top/$repo" \\
    -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.safecrlf=false -c gc.auto=0 -c maintenance.auto=false \\
    -c advice.detachedHead=false -c checkout.workers=0 -c checkout.thresholdForParallelism=500 "$@"
}
`;

/** Shell functions that make a worktree, or take one back to a commit; `configure` undoes what was set there. */
export const MAKE = `configure() {
  mkdir -p "$1/.git/info"
  (cd "$1/.git" && rm -rf info/attributes info/sparse-checkout info/exclude config hooks)
  printf '%s' "$2" > "$1/.git/info/exclude"
  printf '[core]\\n\\trepositoryformatversion = 0\\n\\tbare = false\\n\\tlogallrefupdates = true\\n' > "$1/.git/config"
  printf '[gc]\\n\\tauto = 0\\n' >> "$1/.git/config"
}
make_git() {
  rm -rf "$1/.git"
  git init --quiet --template= --initial-branch=takt-none "$1"
  printf '%s\\n' "$2" > "$1/.git/objects/info/alternates"
  configure "$1" "$3"
}
check_out() {
  rm -f "$1/.git/HEAD" && printf '%s\\n' "$2" > "$1/.git/HEAD" && in_repo "$1" reset --quiet --hard
}
`;

/**
 * A script that makes the worktrees of a run, one folder per repo in the working folder. Each has a git folder of its
 * own without remotes and refs, borrows the root repo's objects, and is detached at the run's commit. What is copied
 * in later, cached, or written as guidance (`guidance`: paths in the run's folder) is hidden from git's status.
 * A folder that is there already is replaced: the script is for a run that has not begun to work.
 */
export function worktreeScript(
  repos: readonly WorktreeRepo[],
  options: { readonly guidance?: readonly string[] } = {},
): string {
  const parts = repos.map((repo) => {
    const name = shellWord(`./${repo.name}`);
    return `rm -rf ${name}\n${makeGit(repo, options.guidance ?? [])}${checkOut(repo)}`;
  });
  return `${SCRIPT_HEAD}${MAKE}${parts.join('')}`;
}

/**
 * A script that brings worktrees back to their recorded commits, whatever was done to them: detached, tracked files as
 * committed, untracked ones gone. Ignored files stay, since setup made them; repositories that were made within one
 * are set aside in `.takt`, as no commit holds them. A worktree that git no longer reads is made again around its files.
 */
export function restoreScript(
  repos: readonly WorktreeRepo[],
  options: { readonly guidance?: readonly string[] } = {},
): string {
  const parts = repos.map((repo) => {
    const name = shellWord(repo.name);
    const excludes = shellWord(excludePatterns(excludesOf(repo, options.guidance ?? [])));
    return `mkdir -p ./${name}
if ! restore ${name} ${shellWord(repo.commit)} ${excludes}; then
${makeGit(repo, options.guidance ?? [])}${checkOut(repo)}clean ${name}
fi
`;
  });
  return `${SCRIPT_HEAD}${MAKE}${RESTORE}${parts.join('')}`;
}

// HEAD is replaced as a file: a branch that was checked out must not move with it. The reset ends a merge under way.
export const RESTORE = `restore() {
  [ -d "./$1/.git" ] && [ ! -L "./$1/.git" ] || return 1
  find "./$1/.git" -name '*.lock' -type f -exec rm -f {} +
  rm -rf "./$1/.git/rebase-merge" "./$1/.git/rebase-apply" "./$1/.git/sequencer"
  configure "./$1" "$3" && check_out "$1" "$2" && clean "$1"
}
clean() {
  in_repo "$1" clean -fdq
  rm -rf "$top/$1/.git/takt-rest"
  in_repo "$1" ls-files --others --exclude-standard --directory -z > "$top/$1/.git/takt-rest"
  [ -s "$top/$1/.git/takt-rest" ] || return 0
  mkdir -p "$top/.takt/set-aside/$1"
  aside=$(mktemp -d "$top/.takt/set-aside/$1/XXXXXX")
  (cd "$top/$1" && xargs -0 -r mv --backup=numbered -t "$aside" -- < .git/takt-rest)
}
`;

function makeGit(repo: WorktreeRepo, guidance: readonly string[]): string {
  const objects = quotedPath(`${repo.rootFolder}/objects`);
  const words = [`./${repo.name}`, objects, excludePatterns(excludesOf(repo, guidance))].map(shellWord);
  return `make_git ${words.join(' ')}\n`;
}

function checkOut(repo: WorktreeRepo): string {
  return `check_out ${shellWord(repo.name)} ${shellWord(repo.commit)}\n`;
}

/** What git's status of a worktree is not to show. Guidance lies in the run's folder, part of it within repos. */
export function excludesOf(repo: WorktreeRepo, guidance: readonly string[]): string[] {
  const within = guidance
    .filter((path) => path.startsWith(`${repo.name}/`))
    .map((path) => path.slice(repo.name.length + 1));
  return [...repo.copy.map(({ to }) => to), ...repo.cache, ...within];
}
