import { COMMITTER, type Person } from './person.ts';
import { SCRIPT_HEAD } from './run-worktree.ts';
import { shellWord } from './shell-word.ts';

/** Refs that a bundle from a worktree holds, and no others. */
export const BUNDLE_HEAD = 'refs/takt-out/head';
export const BUNDLE_LEFTOVER = 'refs/takt-out/leftover';
/** Ends the frames, so that a stream that broke off is told from one that is whole. */
export const FRAMES_END = 'takt-out-end';

/**
 * A script that brings out what an attempt left in its worktrees; the last act inside the confinement. On standard
 * output, per repo: `takt-out <repo> <head|-> <leftover|-> <bytes>`, a line feed, and so many bytes of a bundle; then
 * `takt-out-end`. `head` is `-` if HEAD is where it began. With `commitLeftovers`, uncommitted work becomes a commit on
 * HEAD; else a commit beside it, and HEAD stays. Everything else that git says goes to standard error.
 */
export function collectScript(
  repos: readonly { readonly name: string; readonly commit: string }[],
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
    ({ name, commit }) => `collect ${shellWord(name)} ${shellWord(commit)} || give_up ${shellWord(name)}\n`,
  );
  return [
    SCRIPT_HEAD,
    ...environment,
    `message=${shellWord(options.message)}\ncommit_leftovers=${options.commitLeftovers ? 'yes' : 'no'}\nfailed=0\n`,
    COLLECT,
    ...calls,
    `printf '${FRAMES_END}\\n'\nexit $failed\n`,
  ].join('');
}

/*
 * `snapshot` makes a tree of the work tree through an index of its own. Repositories that were made within the work
 * tree are left out: git would take each for a submodule, or fail. A file that cannot be read is left out as well.
 *
 * A bundle names what the other side has to have: the commit that the attempt began with. A HEAD that was moved back to
 * one of its ancestors needs no bundle.
 */
const COLLECT = `line_feed='
'
has_changes() {
  case "$line_feed$status" in *"$line_feed"[!#]*) return 0 ;; esac
  return 1
}
readable() {
  (cd "$top/$1" && xargs -0 -r sh -c '
    for f; do if [ -L "$f" ] || { [ -f "$f" ] && [ -r "$f" ]; }; then printf "%s\\0" "$f"; fi; done' sh)
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
  in_repo "$1" add --update --ignore-errors -- . >&2 || true
  in_repo "$1" ls-files --others --exclude-standard -z | grep -zv '/$' | readable "$1" |
    in_repo "$1" update-index --add -z --stdin >&2 || return 1
  in_repo "$1" write-tree
}
collect() {
  name=$1 start=$2 out=$top/$1/.git/takt-out-bundle leftover=
  status=$(in_repo "$name" status --porcelain=v2 --branch --untracked-files=normal --ignore-submodules=dirty) || return 1
  head=\${status#'# branch.oid '}
  head=\${head%%"$line_feed"*}
  case $head in *[!0-9a-f]* | '') return 1 ;; esac
  if has_changes; then
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
  if [ -e "$top/$name/.git/takt-out-index" ]; then rm -f "$top/$name/.git/takt-out-index"; fi
  if [ "$head" = "$start" ]; then head=; fi
  bundle || return 1
  printf 'takt-out %s %s %s %s\\n' "$name" "\${head:--}" "\${leftover:--}" "$bytes"
  if [ "$bytes" != 0 ]; then cat "$out" && rm -f "$out"; fi
}
give_up() {
  failed=1
  echo "takt: what $1 holds could not be collected" >&2
}
add_ref() { in_repo "$name" update-ref "$1" "$2" && refs="$refs $1"; }
bundle() {
  bytes=0 refs=
  if [ -e "$top/$name/.git/refs/takt-out" ] || [ -e "$out" ]; then rm -rf "$top/$name/.git/refs/takt-out" "$out"; fi
  if [ -n "$head" ]; then
    new=$(in_repo "$name" rev-list --max-count=1 "$head" "^$start") || return 1
    if [ -n "$new" ]; then add_ref ${BUNDLE_HEAD} "$head" || return 1; fi
  fi
  if [ -n "$leftover" ]; then add_ref ${BUNDLE_LEFTOVER} "$leftover" || return 1; fi
  [ -n "$refs" ] || return 0
  in_repo "$name" bundle create --quiet "$out" $refs "^$start" >&2 || return 1
  bytes=$(wc -c < "$out" | tr -d ' ')
  for ref in $refs; do in_repo "$name" update-ref -d "$ref" || return 1; done
}
`;
