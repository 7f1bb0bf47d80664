#!/usr/bin/env bash
# Builds every bench/NAME with the release flags and runs each program *_bench that comes of it.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset release -D ACCELERATE_BENCH=ON --log-level=WARNING
tools/build.sh release
found=no
for program in build/release/bench/*/*_bench; do
  [[ -f $program && -x $program ]] || continue
  found=yes
  echo "== $(basename "$program")"
  "$program"
done
[[ $found == yes ]] || { echo "bench: bench/ has no benchmarks yet"; exit 1; }
