import { COMMITTER, type Person } from './person.ts';
import { SCRIPT_HEAD } from './run-worktree.ts';
import { shellWord } from './shell-word.ts';

/** Refs that a bundle from a worktree holds, and no others. */
export const BUNDLE_HEAD = 'refs/takt-out/head';
export const BUNDLE_LEFTOVER = 'refs/takt-out/leftover';
/** Ends the frames, so that a stream that broke off is told from one that is whole. */
export const FRAMES_END = 'takt-out-end';
/** Last word of a frame whose worktree holds what commits cannot. */
export const LEFT_IN_FOLDER = 'and-more';

/**
 * A script that brings out what an attempt left in its worktrees; the last act inside the confinement. On standard
 * output, per repo: `takt-out <repo> <head|-> <leftover|-> <bytes>`, a line feed, and so many bytes of a bundle; then
 * `takt-out-end`. With ` and-more` at its end, the line says that the worktree holds more than commits can. `head` is `-` if HEAD is where it began. With `commitLeftovers`, uncommitted work becomes a commit on
 * HEAD; else a commit beside it, and HEAD stays. Everything else that git says goes to standard error.
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
    ...calls,
    `printf '${FRAMES_END}\\n'\nexit $failed\n`,
  ].join('');
}

/**
 * Shell functions: `changes_of` puts into `changes` what is uncommitted in a work tree, and `snapshot` prints a tree of
 * it, made through an index of its own. What its owner may not read is made readable first. Repositories that were made
 * within the work tree are left out, as git would take each for a submodule.
 */
export const SNAPSHOT = `is_plain() { [ -f "$1" ] && [ -w "$1" ] && [ ! -L "$1" ]; }
clear_away() {
  for path; do
    if [ -e "$path" ] || [ -L "$path" ]; then rm -rf "$path"; fi
  done
}
readable() {
  (cd "$top/$1" && xargs -0 -r sh -c '
    for f; do
      if [ -L "$f" ]; then printf "%s\\0" "$f"
      elif [ -f "$f" ]; then
        [ -r "$f" ] || chmod u+r "./$f"
        if [ -r "$f" ]; then printf "%s\\0" "$f"; fi
      fi
    done' sh)
}
status_of() {
  in_repo "$1" status --porcelain --untracked-files=normal --ignore-submodules=dirty 2> "$top/$1/.git/takt-out-words"
}
changes_of() {
  is_plain "$top/$1/.git/takt-out-words" || clear_away "$top/$1/.git/takt-out-words"
  changes=$(status_of "$1") || { cat "$top/$1/.git/takt-out-words" >&2; return 1; }
  [ -s "$top/$1/.git/takt-out-words" ] || return 0
  find "$top/$1" -type d ! -readable -exec chmod u+rwx {} \\; >&2 || true
  changes=$(status_of "$1") || return 1
  cat "$top/$1/.git/takt-out-words" >&2
}
snapshot() {
  GIT_INDEX_FILE=$top/$1/.git/takt-out-index
  export GIT_INDEX_FILE
  rm -f "$GIT_INDEX_FILE"
  if [ -f "$top/$1/.git/index" ]; then
    cp -p "$top/$1/.git/index" "$GIT_INDEX_FILE" || return 1
  else
    in_repo "$1" read-tree HEAD || return 1
  fi
  in_repo "$1" diff-files --name-only -z | readable "$1" > /dev/null
  in_repo "$1" add --update --ignore-errors -- . >&2 || true
  in_repo "$1" ls-files --others --exclude-standard -z | grep -zv '/$' | readable "$1" |
    in_repo "$1" update-index --add -z --stdin >&2 || return 1
  in_repo "$1" write-tree
}
`;

/*
 * Of repositories within the work tree the frame says that something is in the folder only.
 *
 * `beside` names the newest commits that HEAD does not hold, but another branch, a stash or the reflog does; they
 * become parents of a commit beside HEAD. What the root repo has, since it came out before, is not among them.
 *
 * A bundle names what the other side has to have: the commit that the attempt began with. A HEAD that was moved back to
 * one of its ancestors needs no bundle.
 */
const COLLECT = `holds_repos() {
  [ -z "$(in_repo "$1" ls-files --others --exclude-standard | grep '/"\\{0,1\\}$')" ] || return 0
  in_repo "$1" ls-files --stage | sed -n 's/^160000 [^	]*	//p' | {
    while read -r path; do [ ! -e "$top/$1/$path/.git" ] || exit 0; done
    exit 1
  }
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
collect() {
  name=$1 start=$2 out=$top/$1/.git/takt-out-bundle leftover= rest= known=
  shift 2
  for commit; do known="$known ^$commit"; done
  head=$(in_repo "$name" rev-parse --verify --quiet 'HEAD^{commit}') || return 1
  changes_of "$name" || return 1
  if [ -n "$changes" ]; then
    tree=$(snapshot "$name") || return 1
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
  if may_have_more "$name"; then collect_beside || rest=' ${LEFT_IN_FOLDER}'; fi
  if [ -e "$top/.takt/set-aside/$name" ]; then rest=' ${LEFT_IN_FOLDER}'
  elif [ -n "$changes" ] || [ "$head" != "$start" ]; then
    if holds_repos "$name"; then rest=' ${LEFT_IN_FOLDER}'; fi
  fi
  if [ "$head" = "$start" ]; then head=; fi
  bundle || return 1
  printf 'takt-out %s %s %s %s%s\\n' "$name" "\${head:--}" "\${leftover:--}" "$bytes" "$rest"
  if [ "$bytes" != 0 ]; then cat "$out" && rm -f "$out"; fi
}
collect_beside() {
  tips=$(beside "$name") || return 1
  [ -n "$tips" ] || return 0
  below=\${leftover:-$head}
  leftover=$(printf '%s\\n\\nWith commits of other branches, stashes and earlier states.\\n' "$message" |
    in_repo "$name" commit-tree "$below^{tree}" -p "$below" $tips) || return 1
}
give_up() {
  failed=1
  echo "takt: what $1 holds could not be collected" >&2
}
add_ref() { in_repo "$name" update-ref "$1" "$2" && refs="$refs $1"; }
bundle() {
  bytes=0 refs=
  clear_away "$top/$name/.git/refs/takt-out" "$out"
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
`;
