# What TAB offers, between ^B and ^C: each match, and what the line is then.
# What zsh knows of all other commands is kept beside the script: it takes seconds to find.
autoload -Uz compinit
compinit -u -d ${script:h}/zcompdump
bindkey -e

compadd() {
  # Some calls fill arrays only.
  if [[ ${@[1,(i)(-|--)]} = *-(O|A|D)\ * ]]; then
    builtin compadd "$@"
    return
  fi
  local -a matches folder
  local match
  builtin compadd -A matches "$@"
  zparseopts -E p:=folder
  for match in $matches; do offered+=("$IPREFIX$folder[2]$match"); done
  builtin compadd "$@"
}

press() {
  typeset -gaU offered=()
  zle complete-word
  print -n $'\x02'
  (( $#offered )) && print -rl -- $offered
  print -rn -- "= $BUFFER"
  print -n $'\x03'
  zle kill-buffer
}
zle -N press
bindkey '^I' press
