/** The shells whose completion is known. */
export type Shell = 'bash' | 'zsh' | 'fish';

/**
 * Each hands the words before the cursor to `takt __complete`, which prints `value<TAB>description` lines. The line
 * `:files` asks the shell for its own completion of file names.
 */
export const completionScripts: Readonly<Record<Shell, string>> = {
  // Bash splits words at = : @ as well, so they are put together again, and what it takes for the word's beginning is
  // cut off.
  bash: `# Completion of takt for bash.
_takt() {
  local line=\${COMP_LINE:0:COMP_POINT} words=() word index rest value about cut
  rest=$line
  for ((index = 0; index <= COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    if [[ $index -gt 0 && \${#words[@]} -gt 0 && $rest != [[:space:]]* ]]; then
      words[\${#words[@]}-1]+=$word
    else
      rest=\${rest#"\${rest%%[![:space:]]*}"}
      words+=("$word")
    fi
    rest=\${rest#"$word"}
  done
  # Nothing of a word that begins behind the cursor was typed yet.
  [[ $line == *[[:space:]] ]] && words[\${#words[@]}-1]=
  local current=\${words[\${#words[@]}-1]}
  cut=\${current%"\${current##*[=:@]}"}
  COMPREPLY=()
  local lines=() is_listing=
  # 63, 33 and 64: bash is about to show the list; only there a description does no harm.
  [[ $COMP_TYPE == 63 || $COMP_TYPE == 33 || $COMP_TYPE == 64 ]] && is_listing=1
  mapfile -t lines < <("\${COMP_WORDS[0]}" __complete "\${words[@]:1}" 2>/dev/null)
  for value in "\${lines[@]}"; do
    if [[ $value == :files ]]; then
      compopt -o filenames 2>/dev/null
      mapfile -t -O \${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$current")
      continue
    fi
    about=
    [[ $value == *$'\\t'* ]] && about=\${value#*$'\\t'}
    value=\${value%%$'\\t'*}
    value=\${value#"$cut"}
    if [[ -n $is_listing && \${#lines[@]} -gt 1 && -n $about ]]; then
      COMPREPLY+=("$value  ($about)")
    else
      COMPREPLY+=("$value")
    fi
  done
}
complete -o nosort -F _takt takt 2>/dev/null || complete -F _takt takt
`,
  zsh: `#compdef takt
# Completion of takt for zsh.
_takt() {
  local line value about
  local -a candidates
  for line in "\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -z $line ]] && continue
    if [[ $line == ':files' ]]; then
      _files
      continue
    fi
    value=\${line%%$'\\t'*}
    about=
    [[ $line == *$'\\t'* ]] && about=\${line#*$'\\t'}
    candidates+=("\${value//:/\\\\:}:$about")
  done
  (( \${#candidates} )) && _describe -V takt candidates
}
if [[ $funcstack[1] == _takt ]]; then
  _takt "$@"
else
  compdef _takt takt
fi
`,
  fish: `# Completion of takt for fish.
function __takt_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = ":files"
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete -c takt -f -k -a '(__takt_complete)'
`,
};
