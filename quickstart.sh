#!/usr/bin/env bash
# From a fresh Debian 12 to read margins, an error table, the accuracy of a network and a report.
set -euo pipefail
cd "$(dirname "$0")"
config=experiments/configs/rram_128rows.toml
out=out
.ci/install build data
echo "Building (release; 5 to 20 minutes on two cores; the log is in build.log) ..."
cmake --preset release -DCIMSTAT_TESTS=OFF -DCIMSTAT_BENCH=OFF >build.log 2>&1 && cmake --build --preset release >>build.log 2>&1 ||
  { tail -30 build.log; echo "The build failed; the whole log is in build.log." >&2; exit 1; }
rm -f build.log
cimstat=build/release/bin/cimstat
mkdir -p "$out"
start=$(date +%s%N)
run() { printf '\n$ %s\n' "$*"; "$@"; }
run "$cimstat" margin "$config"
run "$cimstat" table "$config" -o "$out/rram_128rows.table.h5"
run "$cimstat" accuracy "$config" --table "$out/rram_128rows.table.h5" -o "$out/rram_128rows.accuracy.h5"
run "$cimstat" report "$out/rram_128rows.table.h5" "$out/rram_128rows.accuracy.h5" -o "$out/rram_128rows.html"
printf '\nMain job: %s s. Open %s in a browser.\n' "$(( ($(date +%s%N) - start) / 1000000000 ))" "$out/rram_128rows.html"
printf 'For this shell: export PATH=$PWD/build/release/bin:$PATH\n'
