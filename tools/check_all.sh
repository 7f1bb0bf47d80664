#!/usr/bin/env bash
# What .ci/run has no time for: thread sanitizer, five minutes of fuzzing a target, the kernels for 64-bit Arm in an
# emulator, clang-tidy on everything, coverage.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh all
tools/build.sh thread
tools/test.sh thread
tools/build.sh sanitize
tools/test.sh sanitize
tools/fuzz.sh "${FUZZ_SECONDS:-300}"
tools/check_aarch64.sh
tools/tidy.sh --deep --all
tools/coverage.sh
