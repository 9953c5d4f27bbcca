#!/usr/bin/env bash
# Installs what the tests need, builds everything and runs every test.
#   ./run_tests.sh [PRESET]     default: dev (optimised, warnings are errors); asan, tsan, release, debug
set -euo pipefail
cd "$(dirname "$0")"
preset=${1:-dev}
.ci/install build data test
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset"
ctest --preset "$preset"
