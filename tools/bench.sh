#!/usr/bin/env bash
# The kernels against this machine's limit, the tokenizers beside the tokenizers library, and models beside their peers.
# The first run installs the peers (some GB) into build/compare/venv; PEERS_PYTHON names an interpreter that has them.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset release -D ACCELERATE_BENCH=ON --log-level=WARNING
tools/build.sh release
echo "== kernels"
build/release/bench/kernels/kernels_bench
echo "== models"
bench/compare/run.sh "$@"
echo "== tokenizers"
python=${PEERS_PYTHON:-build/compare/venv/bin/python}
"$python" bench/tokenizers/run.py build/release/bench/tokenizers/bench_tokenizers "$(tools/fetch_minilm.sh)"
