/**
 * Shell functions that look at a work tree whose git folder somebody else may have filled with traps.
 *
 * `changes_of` puts into `said` what `git status` says in its second form, into `at` the commit of HEAD, and into
 * `changes` something if there are changes. `snapshot` prints a tree of the work tree, made through an index of its own;
 * it returns 3 if that lacks something. What its owner may not read is made readable first, and what an index hides as
 * unchanged is looked at. Repositories that were made within the work tree are left out, as git would take each for a
 * submodule.
 */
export const SNAPSHOT = `nl='
'
clear_away() {
  for path; do
    if [ -e "$path" ] || [ -L "$path" ]; then rm -rf "$path"; fi
  done
}
those_there() {
  (cd "$top/$1" && xargs -0 -r sh -c 'for f; do if [ -e "$f" ] || [ -L "$f" ]; then printf "%s\\0" "$f"; fi; done' sh)
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
hidden() { in_repo "$1" ls-files -v -z | grep -z "^[$2] " | cut -z -c 3- | those_there "$1"; }
has_hidden() { in_repo "$1" ls-files -v | grep -q '^[a-zS] '; }
reveal() {
  hidden "$1" a-z | in_repo "$1" update-index -z --no-assume-unchanged --stdin >&2 || return 1
  hidden "$1" S | in_repo "$1" update-index -z --no-skip-worktree --stdin >&2
}
status_of() { in_repo "$1" status --porcelain=v2 --branch --untracked-files=normal --ignore-submodules=dirty; }
changes_of() {
  if has_hidden "$1"; then reveal "$1" || return 1; fi
  said=$(status_of "$1" 2>&1) || { printf '%s\\n' "$said" >&2; return 1; }
  case $nl$said in
    *"$nl"?[!\\ ]*)
      printf '%s\\n' "$said" | grep '^.[^ ]' >&2 || true
      find "$top/$1" -type d ! -readable -exec chmod u+rwx {} \\; >&2 || true
      said=$(status_of "$1") || return 1
      ;;
  esac
  at=\${said#*"# branch.oid "} at=\${at%%"$nl"*}
  case $nl$said in *"$nl"[!#]*) changes=yes ;; *) changes= ;; esac
}
snapshot() {
  GIT_INDEX_FILE=$top/$1/.git/takt-out-index
  export GIT_INDEX_FILE
  clear_away "$GIT_INDEX_FILE" "$GIT_INDEX_FILE.lock"
  if [ -f "$top/$1/.git/index" ]; then
    cp -p "$top/$1/.git/index" "$GIT_INDEX_FILE" || return 1
  else
    in_repo "$1" read-tree HEAD || return 1
  fi
  in_repo "$1" diff-files --name-only -z | readable "$1" > /dev/null
  added=0
  in_repo "$1" add --update --sparse --ignore-errors -- . >&2 || added=$?
  [ $added -le 1 ] || return 1
  in_repo "$1" ls-files --others --exclude-standard -z | grep -zv '/$' | readable "$1" |
    in_repo "$1" update-index --add -z --stdin >&2 || return 1
  in_repo "$1" write-tree || return 1
  [ $added = 0 ] || return 3
}
`;
