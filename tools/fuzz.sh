#!/usr/bin/env bash
# Fuzzes every target of build/sanitize from its committed corpus; new inputs stay in build/fuzz, a finding is copied
# beside them and fails the run. Two targets run at once.
#
#   tools/fuzz.sh SECONDS [NAME...]     seconds for each target; without names: all
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1
shift
names=("$@")
if [[ ${#names[@]} -eq 0 ]]; then
  for source in tests/fuzz/*_fuzz.cpp; do
    [[ -f $source ]] && names+=("$(basename "${source%_fuzz.cpp}")")
  done
fi
[[ ${#names[@]} -gt 0 ]] || { echo "fuzz: tests/fuzz has no targets" >&2; exit 1; }

fuzz_one() {
  local name=$1 seconds=$2 work=build/fuzz/$1
  mkdir -p "$work/corpus"
  if ! build/sanitize/tests/fuzz_"$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
    -print_final_stats=1 -artifact_prefix="$work/" "$work/corpus" "tests/fuzz/corpus/$name" >"$work/log" 2>&1; then
    echo "fuzz: $name FAILED; the end of $work/log:"
    tail -n 60 "$work/log"
    return 1
  fi
  echo "fuzz: $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log") inputs in ${seconds} s, no finding"
}
export -f fuzz_one
printf '%s\0' "${names[@]}" | xargs -0 -P "${JOBS:-$(nproc)}" -I{} bash -c 'fuzz_one "$@"' fuzz {} "$seconds"
