# Runs a formatter over the manual page: check_manual.sh COMMAND... PAGE. Any warning fails.
warnings=$(LC_ALL=C.UTF-8 MANWIDTH=80 "$@" 2>&1 >/dev/null) || { echo "$warnings"; exit 1; }
[ -z "$warnings" ] || { echo "$warnings"; exit 1; }
for page in "$@"; do :; done
for section in NAME SYNOPSIS DESCRIPTION COMMANDS "EXIT STATUS" FILES ENVIRONMENT EXAMPLES; do
  grep -q "^\.SH $section$" "$page" || { echo "no section $section"; exit 1; }
done
