# fish --no-config fish.fish SCRIPT LINE...: what fish offers behind each line, without its descriptions, and a line of ^A.
source $argv[1]
for line in $argv[2..-1]
    complete -C $line | string replace -r '\t.*' ''
    printf '\x01\n'
end
