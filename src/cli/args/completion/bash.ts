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
 * The completion script for bash: tables, and a function that walks the line. bash splits words at
 * `=` and `:`; the function joins them again, and removes from the answers the part before the last
 * split.
 */
export function script(): string {
  const options = allOptions();
  return `# bash completion for manifest-tool; in ~/.bashrc: source <(manifest-tool completion bash)

_manifest_tool_place() {
  case $1 in
${places().map(placeCase).join('\n')}
  esac
}

_manifest_tool_option() {
  case $1 in
${options.map(optionCase).join('\n')}
  *) name=$1 takes=0 again=0 kind='' ;;
  esac
}
${WALK}${ANSWERS}
_manifest_tool_platforms='${COMMON_PLATFORMS.join(' ')}'

complete -F _manifest_tool manifest-tool
`;
}

function placeCase({ words, next, options, arguments: kinds, repeats }: Place): string {
  const letters = new Map(allOptions().map(({ name, letter }) => [name, letter]));
  const names = options.flatMap((name) => {
    const letter = letters.get(name);
    return letter === undefined ? [`--${name}`] : [`--${name}`, `-${letter}`];
  });
  const list = kinds.map(kindWord).join(' ');
  return `  '${words}') next='${next.map(({ word }) => word).join(' ')}' options='${names.join(' ')}' kinds='${list}' repeats=${repeats ? 1 : 0} ;;`;
}

function optionCase({ name, letter, takesValue, isRepeatable, kind }: Option): string {
  const pattern = letter === undefined ? name : `${name} | ${letter}`;
  return `  ${pattern}) name=${name} takes=${takesValue ? 1 : 0} again=${isRepeatable ? 1 : 0} kind='${kindWord(kind)}' ;;`;
}

const WALK = `
_manifest_tool() {
  COMPREPLY=()
  local word line=() last=-1 glue=0 i
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $last -ge 0 && ($glue = 1 || $word =~ ^[=:]+$) ]]; then
      line[last]+=$word
    else
      line[++last]=$word
    fi
    [[ $word =~ ^[=:]+$ ]] && glue=1 || glue=0
  done
  [[ $last -ge 0 ]] || return 0
  local current=\${line[last]} own=\${COMP_WORDS[COMP_CWORD]}
  [[ $own =~ ^[=:]+$ ]] && own=''
  local before=\${current%"$own"}

  local next options kinds repeats name takes again kind
  local place='' waiting='' given=' ' count=0 ended=0
  _manifest_tool_place ''
  for ((i = 0; i < last; i++)); do
    word=\${line[i]}
    if [[ -n $waiting ]]; then
      waiting=''
    elif [[ $ended = 0 && $word = -- ]]; then
      ended=1
    elif [[ $ended = 0 && $word = -?* ]]; then
      word=\${word#-} word=\${word#-}
      _manifest_tool_option "\${word%%=*}"
      [[ $again = 0 ]] && given+="$name "
      [[ $takes = 1 && $word != *=* ]] && waiting=$kind
    elif [[ " $next " = *" $word "* ]]; then
      place+=\${place:+ }$word
      _manifest_tool_place "$place"
    else
      count=$((count + 1))
    fi
  done

  if [[ -n $waiting ]]; then
    _manifest_tool_value "$waiting" '' "$current"
  elif [[ $ended = 0 && $current = -*=* ]]; then
    word=\${current%%=*} word=\${word#-} word=\${word#-}
    _manifest_tool_option "$word"
    _manifest_tool_value "$kind" "\${current%%=*}=" "\${current#*=}"
  elif [[ $ended = 0 && $current = -* ]]; then
    for word in $options; do
      name=\${word#-} name=\${name#-}
      _manifest_tool_option "$name"
      [[ $given = *" $name "* ]] || _manifest_tool_add '' "$current" "$word"
    done
  elif [[ -n $next ]]; then
    _manifest_tool_add '' "$current" $next
  else
    kinds=($kinds)
    [[ $repeats = 1 && $count -ge \${#kinds[@]} ]] && count=$((\${#kinds[@]} - 1))
    _manifest_tool_value "\${kinds[count]:-none}" '' "$current"
  fi
}
`;

const ANSWERS = `
# Adds those of the words after $2 that begin with $2, each with the prefix $1.
_manifest_tool_add() {
  local start=$1 text=$2 answer
  shift 2
  for answer in "$@"; do
    [[ $answer = "$text"* ]] || continue
    answer=$start$answer
    COMPREPLY+=("\${answer#"$before"}")
  done
}

# Completes a value of the kind $1 that begins with $3; $2 is the text before it.
_manifest_tool_value() {
  local IFS=$' \\t\\n' start=$2 text=$3 answers=() answer scheme
  case $1 in
  none) ;;
  file | directory)
    compopt -o filenames 2>/dev/null
    _manifest_tool_paths "$1" "$start" "$text" plain
    # A name in quotes is left to readline.
    [[ \${#COMPREPLY[@]} -gt 0 ]] || compopt -o default 2>/dev/null
    ;;
  reference)
    compopt -o nospace 2>/dev/null
    if [[ $text =~ ^(oci-layout://|ocidir://|oci:) ]]; then
      scheme=\${BASH_REMATCH[0]}
      _manifest_tool_paths directory "$start$scheme" "\${text#"$scheme"}" quoted
    elif [[ $text =~ ^(oci|docker)-archive:(//)? ]]; then
      scheme=\${BASH_REMATCH[0]}
      _manifest_tool_paths file "$start$scheme" "\${text#"$scheme"}" quoted
    elif [[ -n $text ]]; then
      _manifest_tool_add "$start" "$text" ${LOCAL_SCHEMES.join(' ')}
    fi
    ;;
  platforms)
    compopt -o nospace 2>/dev/null
    [[ $text = *,* ]] && start+=\${text%,*},
    for answer in $_manifest_tool_platforms; do
      [[ ,$text, = *",$answer,"* && $answer != "\${text##*,}" ]] || answers+=("$answer")
    done
    _manifest_tool_add "$start" "\${text##*,}" "\${answers[@]}"
    ;;
  *)
    IFS='|'
    answers=($1)
    IFS=$' \\t\\n'
    _manifest_tool_add "$start" "$text" "\${answers[@]}"
    ;;
  esac
}

# The files or directories that begin with $3; with $4 = plain readline quotes them itself.
_manifest_tool_paths() {
  local action=-f answer start=$2 text=$3
  [[ $1 = directory ]] && action=-d
  [[ $4 = plain ]] || text=\${text//\\\\/}
  while IFS= read -r answer; do
    if [[ $4 != plain ]]; then
      [[ -d $answer ]] && answer+=/
      printf -v answer %q "$answer"
    fi
    answer=$start$answer
    COMPREPLY+=("\${answer#"$before"}")
  done < <(compgen $action -- "$text")
}
`;
