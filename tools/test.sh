#!/usr/bin/env bash
# Runs the tests of build/PRESET and says at the end which ones were skipped: a skip is never a pass.
#
#   tools/test.sh PRESET [--no-skips] [--may-skip REGEX] [CTEST OPTIONS]
#
# --no-skips: a skipped test is a failure (CI), unless its name matches what may be skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
allow_skips=yes
may_skip='^$'
if [[ ${1:-} == --no-skips ]]; then
  allow_skips=no
  shift
fi
if [[ ${1:-} == --may-skip ]]; then
  may_skip=$2
  grep -qE "$may_skip" </dev/null || [[ $? -eq 1 ]] || exit 2  # no regular expression
  shift 2
fi
status=0
ctest --preset "$preset" "$@" || status=$?
# A suite is one entry for ctest; the tests inside it that were skipped stand in its output.
log=build/$preset/Testing/Temporary/LastTest.log
mapfile -t skipped < <(sed -n 's/^\[  SKIPPED \] \([^ ]*\) (.*/\1/p' "$log" | sort -u)
if [[ ${#skipped[@]} -gt 0 ]]; then
  printf 'skipped, so not verified: %s\n' "${skipped[@]}"
  mapfile -t unexpected < <(printf '%s\n' "${skipped[@]}" | grep -Ev "$may_skip")
  if [[ $allow_skips == no && ${#unexpected[@]} -gt 0 ]]; then
    printf 'FAILED, for it was skipped: %s\n' "${unexpected[@]}"
    status=1
  fi
fi
exit "$status"
