#!/usr/bin/env bash
# Writes docs/parity.md: every operation on every backend, as the tests find it. Needs the runtimes:
# tools/fetch_runtimes.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/build.sh release test_backends
eval "$(tools/fetch_runtimes.sh --variables)"
ACCELERATE_WRITE_PARITY=1 build/release/test_backends --gtest_filter='Parity.*'
