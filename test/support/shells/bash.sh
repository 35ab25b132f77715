# bash bash.sh SCRIPT: for each line of standard input, the words of a command line as readline has cut them (each behind a tab), prints
# the answers, and a blank line.
source "$1"
while IFS= read -r line; do
  IFS=$'\t' read -r -a COMP_WORDS <<< "${line%$'\t'}"
  # read drops an empty last word.
  [[ $line = *$'\t' ]] && COMP_WORDS+=('')
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _manifest_tool
  printf '%s\n' ${COMPREPLY[@]+"${COMPREPLY[@]}"} $'\001'
done
