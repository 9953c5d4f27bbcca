# Completes words as fish does: check_completion.fish SCRIPT
set script (realpath $argv[1])
set folder (mktemp -d)
cd $folder
touch macro.toml table.h5
source $script
set -g failures 0
function expect
    set got (complete -C $argv[1] | string replace -r '\t.*' '' | sort | string join '|')
    if test "$got" != "$argv[2]"
        echo "'$argv[1]' completes to '$got' instead of '$argv[2]'"
        set -g failures (math $failures + 1)
    end
end
expect 'cimstat ta' table
expect 'cimstat table m' macro.toml
expect 'cimstat table macro.toml --dry' --dry-run
expect 'cimstat completion ' 'bash|fish|zsh'
expect 'cimstat table macro.toml --out t' table.h5
expect 'cimstat margin --set cell.lrs.sig' 'cell.lrs.sigma='
rm -r $folder
test $failures -eq 0; and echo "every completion as expected"
