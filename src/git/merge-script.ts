import { excludePatterns } from './exclude.ts';
import { excludesOf, MAKE, RESTORE, SCRIPT_HEAD, type WorktreeRepo } from './run-worktree.ts';
import { shellWord } from './shell-word.ts';
import { SNAPSHOT } from './snapshot-script.ts';

/** Ends the frames, so that a stream that broke off is told from one that is whole. */
export const MERGE_END = 'takt-merge-end';

export interface RepoToMerge extends WorktreeRepo {
  /** What is merged into `commit`; the root repo has it. */
  readonly theirs: string;
  /** Of the merge commit. */
  readonly message: string;
}

export interface Beginning {
  readonly guidance: readonly string[];
  /** Names the refs of what is set aside. */
  readonly attempt: string;
}

/**
 * A script that merges a commit into the HEAD of each worktree, in all of them or in none. Both sides are merged in
 * memory first, so that a conflict leaves no trace in any worktree: no file with marks, no MERGE_HEAD, no lock. Then the
 * files are brought to the merged commits.
 *
 * On standard output, per repo: `takt-merge <repo> <kind> <commit|-> <bytes>`, a line feed, and so many bytes as
 * `git merge-tree -z` prints them; then `takt-merge-end`. `kind` is `current` (theirs was in already), `forward` (ours
 * has nothing of its own), `merge`, `conflict` or `unrelated` (no commit in common). Where the files could not be brought
 * in, a line more has the kind `blocked`, and its bytes are paths, each ended by a zero: what is untracked in the
 * worktree, an empty one, and what the merge adds where something lies already.
 */
export function mergeScript(repos: readonly RepoToMerge[], beginning: Beginning): string {
  const words = (repo: RepoToMerge, ...more: readonly string[]): string =>
    [repo.name, repo.commit, repo.theirs, ...more].map(shellWord).join(' ');
  return [
    beginScript(repos, beginning),
    MERGE,
    ...repos.map((repo) => `merge_one ${words(repo, repo.message)} || give_up ${shellWord(repo.name)}\n`),
    `[ $conflicts = 0 ] || { printf '${MERGE_END}\\n'; exit 0; }\n`,
    ...repos.map((repo) => `touch ./${shellWord(repo.name)}/.git/${MERGING}\n`),
    ...repos.map(({ name, commit }) => `bring_in ${[name, commit].map(shellWord).join(' ')} || give_up ${name}\n`),
    ...repos.map((repo) => `rm -f ./${shellWord(repo.name)}/.git/${MERGING}\n`),
    `printf '${MERGE_END}\\n'\n`,
  ].join('');
}

/**
 * A script that brings worktrees to their recorded commits for a merge, or back to them after one that was cut short.
 * What somebody left uncommitted is no part of it, and is not lost: it becomes a commit under `refs/takt-aside`, which
 * comes out with the attempt's other commits.
 */
export function beginScript(repos: readonly WorktreeRepo[], { guidance, attempt }: Beginning): string {
  const calls = repos.map((repo) => {
    const excludes = excludePatterns(excludesOf(repo, guidance));
    return `begin ${[repo.name, repo.commit, excludes].map(shellWord).join(' ')} || give_up ${shellWord(repo.name)}\n`;
  });
  return [SCRIPT_HEAD, MAKE, RESTORE, SNAPSHOT, `aside=refs/takt-aside/${shellWord(attempt)}\n`, BEGIN, ...calls].join(
    '',
  );
}

/** While this file lies in a worktree's git folder, the merge itself is what changes files there. */
const MERGING = 'takt-merging';

/*
 * Settings that somebody left in the home of the work count no more than those in the worktree, which are written anew.
 *
 * A worktree without changes is only furnished; the full way back sets repositories within it aside as well.
 */
const BEGIN = `export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
give_up() {
  echo "takt: the worktree of $1 cannot be merged in" >&2
  exit 1
}
is_dirty() {
  changes_of "$1" || return 2
  head=$at
  [ -n "$changes" ] || [ "$head" != "$2" ] || return 1
  tree=$(snapshot "$1") || return 2
  rm -f "$top/$1/.git/takt-out-index"
  [ "$head" != "$2" ] || [ "$tree" != "$(in_repo "$1" rev-parse "$2^{tree}")" ]
}
set_aside() {
  echo "takt: $1 was not as the step before left it; what it held is set aside" >&2
  kept=$head
  if [ "$tree" != "$(in_repo "$1" rev-parse "$head^{tree}")" ]; then
    kept=$(echo 'Set aside before a merge.' | in_repo "$1" commit-tree "$tree" -p "$head") || return 1
  fi
  in_repo "$1" update-ref "$aside" "$kept"
}
begin() {
  git_folder=$top/$1/.git
  [ -d "$git_folder" ] && [ ! -L "$git_folder" ] || return 1
  find "$git_folder" -name '*.lock' -type f -exec rm -f {} +
  rm -rf "$git_folder/takt-merge-out" "$git_folder/takt-merged"
  if [ ! -e "$git_folder/${MERGING}" ]; then
    code=0
    is_dirty "$1" "$2" || code=$?
    case $code in
      0) set_aside "$1" || return 1 ;;
      1) configure "$1" "$3" && check_out "$1" "$2"; return ;;
      *) return 1 ;;
    esac
  fi
  restore "$1" "$2" "$3" && rm -f "$git_folder/${MERGING}"
}
`;

/*
 * The tree that merge-tree makes of a conflict has marks in its files, and is of no use. The two trees of read-tree let
 * it refuse, before it touches a file, where something that git does not ignore is in the way.
 */
const MERGE = `conflicts=0
merge_git() {
  repo_of=$1; shift
  in_repo "$repo_of" -c core.attributesFile=/dev/null -c rerere.enabled=false -c i18n.commitEncoding=UTF-8 "$@"
}
holds() {
  code=0
  in_repo "$1" merge-base --is-ancestor "$3" "$2" || code=$?
  [ $code -le 1 ] || exit 1
  return $code
}
has_common() {
  code=0
  in_repo "$1" merge-base "$2" "$3" > /dev/null || code=$?
  [ $code -le 1 ] || exit 1
  return $code
}
merge_one() {
  name=$1 ours=$2 theirs=$3 new=- out=$top/$1/.git/takt-merge-out
  : > "$out"
  if holds "$name" "$ours" "$theirs"; then kind=current new=$ours
  elif holds "$name" "$theirs" "$ours"; then kind=forward new=$theirs
  elif ! has_common "$name" "$ours" "$theirs"; then kind=unrelated
  else merge_trees "$4" || return 1
  fi
  if [ "$new" = - ]; then conflicts=1; else printf '%s\\n' "$new" > "$top/$name/.git/takt-merged"; fi
  printf 'takt-merge %s %s %s %s\\n' "$name" "$kind" "$new" "$(wc -c < "$out" | tr -d ' ')"
  cat "$out" && rm -f "$out"
}
merge_trees() {
  code=0
  merge_git "$name" merge-tree --write-tree -z "$ours" "$theirs" > "$out" || code=$?
  case $code in
    0)
      tree=$(head -c 40 "$out") && : > "$out"
      kind=merge new=$(printf '%s\\n' "$1" | merge_git "$name" commit-tree "$tree" -p "$ours" -p "$theirs") || return 1
      ;;
    1) kind=conflict ;;
    *) return 1 ;;
  esac
}
in_the_way() {
  in_repo "$1" ls-files --others --exclude-standard -z || return 1
  printf '\\0'
  in_repo "$1" diff-tree -r -z --no-renames --diff-filter=A --name-only "$2" "$3" | (cd "$top/$1" && xargs -0 -r sh -c '
    for f; do
      if [ -e "$f" ] || [ -L "$f" ]; then printf "%s\\0" "$f"; fi
    done' sh)
}
tell_blocked() {
  out=$top/$1/.git/takt-merge-out
  in_the_way "$1" "$2" "$3" > "$out" || return 1
  printf 'takt-merge %s blocked - %s\\n' "$1" "$(wc -c < "$out" | tr -d ' ')"
  cat "$out" && rm -f "$out"
}
bring_in() {
  new=$(cat "$top/$1/.git/takt-merged") && rm -f "$top/$1/.git/takt-merged" || return 1
  if ! in_repo "$1" read-tree -m -u "$2" "$new" >&2; then
    tell_blocked "$1" "$2" "$new" || return 1
    printf '${MERGE_END}\\n'
    exit 0
  fi
  rm -f "$top/$1/.git/HEAD" && printf '%s\\n' "$new" > "$top/$1/.git/HEAD"
}
`;
