#!/usr/bin/env bash
# Configures build/PRESET if it is new and builds it, or only the targets named.
#
#   tools/build.sh PRESET [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
[[ -f build/$preset/build.ninja ]] || cmake --preset "$preset" --log-level=WARNING
cmake --build --preset "$preset" --parallel "${JOBS:-$(nproc)}" ${1:+--target "$@"}
