import {
  allOptions,
  COMMON_PLATFORMS,
  kindWord,
  LOCAL_SCHEMES,
  places,
  type Option,
  type Place,
} from './table.js';

/** The completion script for fish, with descriptions. */
export function script(): string {
  const options = allOptions();
  return `# fish completion for manifest-tool:
#   manifest-tool completion fish > ~/.config/fish/completions/manifest-tool.fish

function __manifest_tool_place --no-scope-shadowing
    set next
    set kinds
    set repeats 0
    switch $argv[1]
${places().map(placeCase).join('\n')}
    end
end

function __manifest_tool_option --no-scope-shadowing
    set letter
    set takes 0
    set again 0
    set kind none
    set what
    switch $argv[1]
${options.map(optionCase).join('\n')}
        case '*'
            set name $argv[1]
    end
end
${WALK}${ANSWERS}
set -g __manifest_tool_platforms ${COMMON_PLATFORMS.join(' ')}

complete -c manifest-tool -f -a '(__manifest_tool)'
`;
}

function placeCase({ words, next, options, arguments: kinds, repeats }: Place): string {
  return [
    `        case ${quoted(words)}`,
    ...next.map(({ word, describe }) => `            set -a next ${word}\\t${quoted(describe)}`),
    `            set names ${options.join(' ')}`,
    ...(kinds.length === 0
      ? []
      : [`            set kinds ${kinds.map(kindWord).map(quoted).join(' ')}`]),
    ...(repeats ? ['            set repeats 1'] : []),
  ].join('\n');
}

function optionCase({ name, letter, describe, takesValue, isRepeatable, kind }: Option): string {
  return [
    `        case ${name}${letter === undefined ? '' : ` ${letter}`}`,
    `            set name ${name}`,
    ...(letter === undefined ? [] : [`            set letter ${letter}`]),
    ...(takesValue ? ['            set takes 1'] : []),
    ...(isRepeatable ? ['            set again 1'] : []),
    ...(kind === undefined ? [] : [`            set kind ${quoted(kindWord(kind))}`]),
    `            set what ${quoted(describe)}`,
  ].join('\n');
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

const WALK = `
function __manifest_tool
    set -l line (commandline -opc)
    set -l current (commandline -ct)
    set -l place
    set -l waiting
    set -l given
    set -l count 1
    set -l ended 0
    set -l next
    set -l names
    set -l kinds
    set -l repeats
    set -l name
    set -l letter
    set -l takes
    set -l again
    set -l kind
    set -l what
    __manifest_tool_place ''
    set -e line[1]
    for word in $line
        if test -n "$waiting"
            set waiting
        else if test $ended = 0 -a "x$word" = x--
            set ended 1
        else if test $ended = 0; and string match -qr '^-.' -- $word
            __manifest_tool_option (string replace -r '^--?([^=]*).*$' '$1' -- $word)
            test $again = 1; or set -a given $name
            if test $takes = 1; and not string match -q '*=*' -- $word
                set waiting $kind
            end
        else if string match -q -- $word\\t'*' $next
            set -a place $word
            __manifest_tool_place "$place"
        else
            set count (math $count + 1)
        end
    end

    if test -n "$waiting"
        __manifest_tool_value $waiting '' $current
    else if test $ended = 0; and string match -qr '^-.*=' -- $current
        set -l parts (string split -m 1 = -- $current)
        __manifest_tool_option (string replace -r '^--?' '' -- $parts[1])
        __manifest_tool_value $kind $parts[1]= $parts[2]
    else if test $ended = 0; and string match -q -- '-*' $current
        for word in $names
            contains -- $word $given; and continue
            __manifest_tool_option $word
            printf '%s\\t%s\\n' --$name $what
            test -n "$letter"; and printf '%s\\t%s\\n' -$letter $what
        end
    else if set -q next[1]
        printf '%s\\n' $next
    else
        if test $repeats = 1 -a $count -gt (count $kinds)
            set count (count $kinds)
        end
        set -q kinds[$count]; and __manifest_tool_value $kinds[$count] '' $current
    end
end
`;

const ANSWERS = `
# What a value of a kind can be, where the text stands behind the start.
function __manifest_tool_value -a kind start text
    switch $kind
        case none
        case file
            printf '%s\\n' $start(__fish_complete_path $text)
        case directory
            printf '%s\\n' $start(__fish_complete_directories $text)
        case reference
            set -l scheme (string match -r '^(?:(?:oci-layout|ocidir)://|oci:)' -- $text)
            set -l archive (string match -r '^(?:oci|docker)-archive:(?://)?' -- $text)
            if test -n "$scheme"
                set -l path (string replace -- $scheme '' $text)
                printf '%s\\n' $start$scheme(__fish_complete_directories $path)
            else if test -n "$archive"
                set -l path (string replace -- $archive '' $text)
                printf '%s\\n' $start$archive(__fish_complete_path $path)
            else if test -n "$text"
                printf '%s\\n' $start{${LOCAL_SCHEMES.join(',')}}
            end
        case platforms
            set -l items (string split , -- $text)
            set -l head (string match -r '^.*,' -- $text)
            for platform in $__manifest_tool_platforms
                contains -- $platform $items[1..-2]; and continue
                printf '%s\\n' $start"$head"$platform
            end
        case '*'
            printf '%s\\n' $start(string split '|' -- $kind)
    end
end
`;
