#!/usr/bin/env bash
# What .ci/run has no time for: thread sanitizer, five minutes of fuzzing a target, clang-tidy on everything, coverage.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh all
tools/build.sh thread
tools/test.sh thread
tools/build.sh sanitize
tools/test.sh sanitize
tools/fuzz.sh "${FUZZ_SECONDS:-300}"
tools/tidy.sh --deep --all
tools/coverage.sh
