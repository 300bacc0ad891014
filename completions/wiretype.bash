# Completion for wiretype and wiretyped in bash, and for wg and wg-quick where these are links to wiretype.
# wiretype itself knows what can stand where: the first line of its answer says whether files can ("files", then the
# ending that they must have), every other line is a word, behind a tab what it means.

_wiretype() {
  local line=${COMP_LINE:0:COMP_POINT} words current answer entry word broken
  # shellcheck disable=SC2162 # without -r, so that an escaped space stays in its word
  read -a words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  current=${words[-1]}
  mapfile -t answer < <(wiretype completion words -- "${words[@]}" 2>/dev/null)

  COMPREPLY=()
  for entry in "${answer[@]:1}"; do
    word=${entry%%$'\t'*}
    [[ $word == "$current"* ]] || continue
    [[ ${answer[0]} == files* ]] || printf -v word %q "$word" # beside files, bash quotes words by itself
    COMPREPLY+=("$word")
  done
  # bash takes the part behind the last ":" or "=" for the word.
  broken=${current%"${current##*[:=]}"}
  COMPREPLY=("${COMPREPLY[@]#"$broken"}")
  if [[ ${answer[0]} == files* ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(
      compgen -f -o plusdirs -X "!*${answer[0]#files }" -- "${current#"$broken"}"
    )
  fi
}

_wiretype_register() {
  local link
  complete -F _wiretype wiretype wiretyped
  for link in wg wg-quick; do
    link=$(type -P "$link") || continue
    [[ $(readlink -f "$link") == */wiretype ]] && complete -F _wiretype "${link##*/}"
  done
  return 0
}

_wiretype_register
unset -f _wiretype_register
