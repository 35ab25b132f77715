# zsh -f zsh.zsh SCRIPT LINE...: types each line in an interactive zsh, presses TAB, and prints what it offers and a line of ^A.
zmodload zsh/zpty
script=$1
shift
zpty shell zsh -f -i
zpty -w shell "PS1= RPS1= script=${(q)script}; source ${(q)0:h}/zsh-child.zsh; source \$script"
for line in "$@"; do
  zpty -w -n shell "$line"$'\t'
  zpty -r shell output $'*\x03'
  output=${${output##*$'\x02'}%%$'\x03'*}
  print -r -- "${output//$'\r'/}"
  print -r -- $'\x01'
done
zpty -d shell
