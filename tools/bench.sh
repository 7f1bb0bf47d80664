#!/usr/bin/env bash
# Models beside their peers and the goals, the kernels against this machine's limit, the tokenizers beside the
# tokenizers library.
#
#   tools/bench.sh [OPTION]...                     options are those of bench/compare/compare.py
#   tools/bench.sh --only generation [OPTION]...   text generation alone; options are those of generation.py
#
# Peers that are not installed are reported as absent; bench/compare/run.sh --install installs them.
# PEERS_PYTHON names an interpreter that has them.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset release -D ACCELERATE_BENCH=ON --log-level=WARNING
tools/build.sh release
mkdir -p build/compare
if [[ ${1:-} == --only ]]; then
  exec bench/compare/run.sh "$@"
fi
echo "== models"
bench/compare/run.sh --json build/compare/latest.json --markdown build/compare/latest.md "$@"
echo "(also in build/compare/latest.json and latest.md)"
echo "== text generation"
bench/compare/run.sh --only generation --json build/compare/latest-generation.json || [[ $? == 3 ]]
echo "== kernels"
build/release/bench/kernels/kernels_bench
echo "== tokenizers"
python=${PEERS_PYTHON:-${PEERS_VENV:-build/compare/venv}/bin/python}
if "$python" -c 'import tokenizers' 2>/dev/null; then
  "$python" bench/tokenizers/run.py build/release/bench/tokenizers/bench_tokenizers "$(tools/fetch_minilm.sh)"
else
  echo "absent: the tokenizers library is not installed"
fi
