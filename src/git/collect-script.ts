import { COMMITTER, type Person } from './person.ts';
import { SCRIPT_HEAD } from './run-worktree.ts';
import { shellWord } from './shell-word.ts';
import { SNAPSHOT } from './snapshot-script.ts';

/** Refs that a bundle from a worktree holds, and no others. */
export const BUNDLE_HEAD = 'refs/takt-out/head';
export const BUNDLE_LEFTOVER = 'refs/takt-out/leftover';
/** Ends the frames, so that a stream that broke off is told from one that is whole. */
export const FRAMES_END = 'takt-out-end';
/** Word of a frame whose worktree holds what commits cannot. */
export const LEFT_IN_FOLDER = 'and-more';
/** Begins the word of a frame whose leftover joins other branches and the like; after it, the commit of what was uncommitted. */
export const JOINED = 'joined:';

/**
 * A script that brings out what an attempt left in its worktrees; the last act inside the confinement. On standard
 * output, per repo: `takt-out <repo> <head|-> <leftover|-> <bytes>`, a line feed, and so many bytes of a bundle; then
 * `takt-out-end`. The line may end with ` and-more`, if the worktree holds more than commits can, and with
 * ` joined:<commit|->`, if `leftover` joins commits of other branches, stashes and the like to the commit of what was
 * uncommitted, or to HEAD. `head` is `-` if HEAD is where it began. With `commitLeftovers`, uncommitted work becomes a
 * commit on HEAD; else a commit beside it, and HEAD stays. Everything else that git says goes to standard error.
 */
export function collectScript(
  repos: readonly {
    readonly name: string;
    readonly commit: string;
    /** What the root repo has beside it, such as what was fetched there, and need not come out. */
    readonly known?: readonly string[];
  }[],
  options: {
    readonly commitLeftovers: boolean;
    readonly message: string;
    readonly author: Person;
    readonly committer?: Person;
  },
): string {
  const committer = options.committer ?? COMMITTER;
  const environment = Object.entries({
    GIT_AUTHOR_NAME: options.author.name,
    GIT_AUTHOR_EMAIL: options.author.email,
    GIT_COMMITTER_NAME: committer.name,
    GIT_COMMITTER_EMAIL: committer.email,
  }).map(([name, value]) => `${name}=${shellWord(value)}\nexport ${name}\n`);
  const calls = repos.map(
    ({ name, commit, known = [] }) =>
      `collect ${[name, commit, ...known].map(shellWord).join(' ')} || give_up ${shellWord(name)}\n`,
  );
  return [
    SCRIPT_HEAD,
    ...environment,
    `message=${shellWord(options.message)}\ncommit_leftovers=${options.commitLeftovers ? 'yes' : 'no'}\nfailed=0\n`,
    SNAPSHOT,
    COLLECT,
    `around=$(look_around ${repos.map(({ name }) => shellWord(name)).join(' ')})\n`,
    ...calls,
    `printf '${FRAMES_END}\\n'\nexit $failed\n`,
  ].join('');
}

/*
 * Of what commits cannot hold, the frame says that it is in the folder only: repositories within the work tree that git
 * does not ignore, unless they are submodules as the attempt found them, and other work trees of the repository, whose
 * files nobody looks at here.
 *
 * `beside` names the newest commits that HEAD does not hold, but another branch, a stash, another work tree or the
 * reflog does; they become parents of a commit beside HEAD. What the root repo has, since it came out before, is not
 * among them. Files that are in the index only become one of those commits.
 *
 * A bundle names what the other side has to have: the commit that the attempt began with. A HEAD that was moved back to
 * one of its ancestors needs no bundle.
 *
 * Nothing of the work is alive any more, so that a lock in the way is nobody's, and a ref of ours that was there before
 * is a trap; both are cleared away where a first try fails.
 */
const COLLECT = `look_around() {
  find . -mindepth 3 -name .git -prune -print 2> /dev/null &
  for name; do
    if in_repo "$name" ls-files -v 2> /dev/null | grep -q '^[a-zS] '; then printf '%s hides\\n' "$name"; fi
  done
  wait
}
has_hidden() { case $nl$around$nl in *"$nl$1 hides$nl"*) ;; *) return 1 ;; esac; }
is_lost_with_folder() {
  in_repo "$1" check-ignore --quiet -- "$2" && return 1
  was=$(in_repo "$1" ls-tree "$start" -- "$2")
  case $was in "160000 "*) ;; *) return 0 ;; esac
  [ "$was" = "$(in_repo "$1" ls-tree "$head" -- "$2")" ] || return 0
  ! in_repo "$1" diff-files --quiet --ignore-submodules=none -- "$2"
}
holds_repos() {
  case $nl$around in *"$nl./$1/"*) ;; *) return 1 ;; esac
  # A name with a line feed in it.
  if printf '%s\\n' "$around" | grep "^\\./$1/" | grep -qv '/\\.git$'; then return 0; fi
  printf '%s\\n' "$around" | sed -n "s#^\\./$1/\\(.*\\)/\\.git\\$#\\1#p" | {
    while read -r path; do if is_lost_with_folder "$name" "$path"; then exit 0; fi; done
    exit 1
  }
}
has_worktrees() {
  for entry in "$top/$1/.git/worktrees/"*; do [ ! -e "$entry" ] || return 0; done
  return 1
}
may_have_more() {
  for ref in "$top/$1/.git/refs/"*/* "$top/$1/.git/refs/stash" "$top/$1/.git/packed-refs"; do
    [ ! -e "$ref" ] || return 0
  done
  [ -r "$top/$1/.git/logs/HEAD" ] || return 1
  while read -r _ new _; do
    case $new in "$start" | "$head") ;; *) return 0 ;; esac
  done < "$top/$1/.git/logs/HEAD"
  return 1
}
beside() {
  commits=$(in_repo "$1" rev-list --all --reflog --parents --not "$head" "$start") || return 1
  [ -n "$commits" ] || return 0
  printf '%s\\n' "$commits" | awk '
    { commits[NR] = $1; for (i = 2; i <= NF; i++) isParent[$i] = 1 }
    END { for (i = 1; i <= NR; i++) if (!(commits[i] in isParent)) print commits[i] }' | not_in_root "$1"
}
not_in_root() {
  objects=$(cat "$top/$1/.git/objects/info/alternates") && [ -d "$objects" ] || objects=$top/$1/.git/takt-none
  mkdir -p "$top/$1/.git/takt-none"
  GIT_OBJECT_DIRECTORY=$objects in_repo "$1" -c core.multiPackIndex=false cat-file --batch-check |
    sed -n 's/^\\([0-9a-f]*\\) missing$/-p \\1/p'
}
staged_only() {
  tree=$(in_repo "$1" write-tree) || return 1
  printf '%s\\n\\nFiles that are in the index only.\\n' "$message" | in_repo "$1" commit-tree "$tree" -p "$head"
}
gather() {
  name=$1 start=$2 out=$top/$1/.git/takt-out-bundle leftover= rest= known= staged=
  shift 2
  for commit; do known="$known ^$commit"; done
  changes_of "$name" || return 1
  head=$at
  [ "$head" != '(initial)' ] || return 1
  case $nl$said in *"$nl"[12]" "[MTARC]"D "*) staged=$(staged_only "$name") || return 1 ;; esac
  if [ -n "$changes" ]; then
    tree=$(snapshot "$name") || { [ $? = 3 ] && rest=' ${LEFT_IN_FOLDER}'; } || return 1
    if [ "$tree" != "$(in_repo "$name" rev-parse "$head^{tree}")" ]; then
      leftover=$(printf '%s\\n' "$message" | in_repo "$name" commit-tree "$tree" -p "$head") || return 1
    fi
  fi
  if [ -n "$leftover" ] && [ "$commit_leftovers" = yes ]; then
    in_repo "$name" update-ref --no-deref HEAD "$leftover" || return 1
    mv -f "$top/$name/.git/takt-out-index" "$top/$name/.git/index" || return 1
    head=$leftover leftover=
  fi
  clear_away "$top/$name/.git/takt-out-index"
  if has_worktrees "$name"; then rest=' ${LEFT_IN_FOLDER}'; fi
  if [ -n "$rest$staged" ] || may_have_more "$name"; then join_beside || rest=' ${LEFT_IN_FOLDER}'; fi
  if [ -e "$top/.takt/set-aside/$name" ] || holds_repos "$name"; then rest=' ${LEFT_IN_FOLDER}'; fi
  if [ "$head" = "$start" ]; then head=; fi
  bundle
}
join_beside() {
  tips=$(beside "$name") || return 1
  if [ -n "$staged" ]; then tips="$tips -p $staged"; fi
  [ -n "$tips" ] || return 0
  below=\${leftover:-$head} uncommitted=\${leftover:--}
  leftover=$(printf '%s\\n\\nWith commits of other branches, stashes and earlier states.\\n' "$message" |
    in_repo "$name" commit-tree "$below^{tree}" -p "$below" $tips) || return 1
  joined=" ${JOINED}$uncommitted"
}
add_ref() { in_repo "$name" update-ref "$1" "$2" && refs="$refs $1"; }
bundle() {
  bytes=0 refs=
  clear_away "$top/$name/.git/refs/takt-out" "$out" "$out.lock"
  if [ -n "$head" ]; then
    new=$(in_repo "$name" rev-list --max-count=1 "$head" "^$start" $known) || return 1
    if [ -n "$new" ]; then add_ref ${BUNDLE_HEAD} "$head" || return 1; fi
  fi
  if [ -n "$leftover" ]; then add_ref ${BUNDLE_LEFTOVER} "$leftover" || return 1; fi
  [ -n "$refs" ] || return 0
  in_repo "$name" bundle create --quiet "$out" $refs "^$start" $known >&2 || return 1
  bytes=$(wc -c < "$out" | tr -d ' ')
  for ref in $refs; do in_repo "$name" update-ref -d "$ref" || return 1; done
}
clear_the_way() {
  find "$top/$1/.git" -name '*.lock' -prune -exec rm -rf {} + || return 1
  in_repo "$1" for-each-ref --format='delete %(refname)' refs/takt-out | in_repo "$1" update-ref --stdin
}
collect() {
  joined=
  gather "$@" || { clear_the_way "$1" && joined= && gather "$@"; } || return 1
  printf 'takt-out %s %s %s %s%s%s\\n' "$name" "\${head:--}" "\${leftover:--}" "$bytes" "$rest" "$joined"
  if [ "$bytes" != 0 ]; then cat "$out" && rm -f "$out"; fi
}
give_up() {
  failed=1
  echo "takt: what $1 holds could not be collected" >&2
}
`;
