#!/usr/bin/env bash
# Builds for 64-bit Arm and runs the tests of core, graph and backends in qemu: the kernels at levels portable and neon.
# Left out are core.Json, one of whose tests is about time, which an emulator's is not, and core.Process: the emulator
# starts a program that is not there before it says so. Runtimes have no part in it.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh aarch64
tools/aarch64_packages.sh
tools/build.sh aarch64 test_core test_graph test_backends
tools/test.sh aarch64 --no-skips --may-skip 'EveryBackend|KeptPast|Runtime|OpenVino|Parity' --exclude-regex 'core.(Json|Process)$'
