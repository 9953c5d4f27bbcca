# Completes words as bash does, without a terminal: check_completion.bash CIMSTAT
# Fills COMP_WORDS by hand, calls the function, and compares COMPREPLY.
set -u
program=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
touch macro.toml 'with space.toml' table.h5 page.html
mkdir folder
script=$("$program" completion bash) || exit 1
compopt() { :; }  # there is no completion going on that it could change
eval "$script"
failures=0

# expect "words typed, the last one incomplete" "every candidate, sorted, separated by |"
expect() {
  local typed=$1 wanted=$2 got
  read -ra COMP_WORDS <<<"$typed"
  [[ $typed == *' ' ]] && COMP_WORDS+=('')
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _cimstat
  got=$(printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd '|')
  if [[ $got != "$wanted" ]]; then
    echo "'$typed' completes to '$got' instead of '$wanted'"
    failures=$((failures + 1))
  fi
}

expect 'cimstat ta' 'table'
expect 'cimstat --v' '--version'
expect 'cimstat table ' 'folder|macro.toml|with space.toml'
expect 'cimstat table m' 'macro.toml'
expect 'cimstat table macro.toml --dry' '--dry-run'
expect 'cimstat table macro.toml --out ' 'folder|table.h5'
expect 'cimstat table macro.toml --out = t' 'table.h5'
expect 'cimstat table --quiet m' 'macro.toml'
expect 'cimstat table --threads 2 m' 'macro.toml'
expect 'cimstat table --threads ' ''
expect 'cimstat table macro.toml --set sense_amplifier.noise_s' 'sense_amplifier.noise_sd=|sense_amplifier.noise_shape='
expect 'cimstat margin --set cell.lrs.sig' 'cell.lrs.sigma='
expect 'cimstat report ' 'folder|table.h5'
expect 'cimstat report table.h5 ' 'folder|table.h5'
expect 'cimstat report table.h5 -o ' 'folder|page.html'
expect 'cimstat show ' 'folder|macro.toml|page.html|table.h5|with space.toml'
expect 'cimstat diff table.h5 t' 'table.h5'
expect 'cimstat completion ' 'bash|fish|zsh'
expect 'cimstat completion f' 'fish'
expect 'cimstat nosuch ' ''
((failures == 0)) && echo "every completion as expected"
exit $((failures > 0))
