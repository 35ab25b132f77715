import {
  allOptions,
  COMMON_PLATFORMS,
  kindWord,
  LOCAL_SCHEMES,
  places,
  type Option,
  type Place,
} from './table.js';

/**
 * The completion script for zsh, with descriptions: sourced after compinit, or as `_manifest-tool`
 * in a directory of `$fpath`.
 */
export function script(): string {
  const options = allOptions();
  return `#compdef manifest-tool
# zsh completion for manifest-tool; in ~/.zshrc, behind compinit: source <(manifest-tool completion zsh)

_manifest-tool-place() {
  case $1 in
${places().map(placeCase).join('\n')}
  esac
}

_manifest-tool-option() {
  case $1 in
${options.map(optionCase).join('\n')}
    (*) name=$1 takes=0 again=0 kind=none what='' ;;
  esac
}
${WALK}${ANSWERS}
_manifest_tool_platforms=(${COMMON_PLATFORMS.join(' ')})

if [[ $funcstack[1] = _manifest-tool ]]; then
  _manifest-tool "$@"
else
  compdef _manifest-tool manifest-tool
fi
`;
}

function placeCase({ words, next, options, arguments: kinds, repeats }: Place): string {
  const commands = next.map(({ word, describe }) => quoted(`${word}:${describe}`)).join(' ');
  const list = kinds.map(kindWord).map(quoted).join(' ');
  return `    (${quoted(words)}) next=(${commands}) names=(${options.join(' ')}) kinds=(${list}) repeats=${repeats ? 1 : 0} ;;`;
}

function optionCase({ name, letter, describe, takesValue, isRepeatable, kind }: Option): string {
  const pattern = letter === undefined ? name : `${name}|${letter}`;
  const flags = `takes=${takesValue ? 1 : 0} again=${isRepeatable ? 1 : 0}`;
  return `    (${pattern}) name=${name} letter=${letter ?? "''"} ${flags} kind=${quoted(kindWord(kind))} what=${quoted(describe)} ;;`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const WALK = `
_manifest-tool() {
  emulate -L zsh
  setopt extended_glob no_ksh_arrays
  local -a next names kinds found
  local word place name letter kind what waiting
  local -i i repeats takes again count=0 ended=0
  local -A given
  _manifest-tool-place ''
  for (( i = 2; i < CURRENT; i++ )); do
    word=$words[i]
    if [[ -n $waiting ]]; then
      waiting=''
    elif (( ! ended )) && [[ $word = -- ]]; then
      ended=1
    elif (( ! ended )) && [[ $word = -?* ]]; then
      _manifest-tool-option "\${\${\${word#-}#-}%%=*}"
      (( again )) || given[$name]=1
      (( takes )) && [[ $word != *=* ]] && waiting=$kind
    elif [[ -n \${(M)next:#\${(b)word}:*} ]]; then
      place+=\${place:+ }$word
      _manifest-tool-place "$place"
    else
      count+=1
    fi
  done

  if [[ -n $waiting ]]; then
    _manifest-tool-value "$waiting"
  elif (( ! ended )) && [[ $PREFIX = -*=* ]]; then
    _manifest-tool-option "\${\${\${PREFIX#-}#-}%%=*}"
    compset -P 1 '*='
    _manifest-tool-value "$kind"
  elif (( ! ended )) && [[ $PREFIX = -* ]]; then
    for word in $names; do
      (( $+given[$word] )) && continue
      _manifest-tool-option "$word"
      found+=("--$name:$what")
      [[ -n $letter ]] && found+=("-$letter:$what")
    done
    _describe -o option found
  elif (( $#next )); then
    _describe command next
  else
    (( count += 1 ))
    (( repeats && count > $#kinds )) && count=$#kinds
    _manifest-tool-value "\${kinds[count]:-none}"
  fi
}
`;

const ANSWERS = `
# Completes a value of the kind $1.
_manifest-tool-value() {
  local -a answers taken
  case $1 in
    (none) _message 'nothing to choose from' ;;
    (file) _files ;;
    (directory) _files -/ ;;
    (reference)
      if compset -P '((oci-layout|ocidir)://|oci:)'; then
        _files -/
      elif compset -P '(oci|docker)-archive:(//|)'; then
        _files
      elif [[ -n $PREFIX ]]; then
        compadd -S '' -- ${LOCAL_SCHEMES.join(' ')}
      fi
      ;;
    (platforms)
      [[ $PREFIX = *,* ]] && taken=(\${(s:,:)PREFIX%,*})
      answers=(\${_manifest_tool_platforms:|taken})
      compset -P '*,'
      compadd -S '' -a answers
      ;;
    (*)
      answers=(\${(s:|:)1})
      compadd -a answers
      ;;
  esac
}
`;
