#!/usr/bin/env bash
# Measures ipfs-accelerate beside PyTorch, ONNX Runtime and CTranslate2, and prints one table.
#
#   bench/compare/run.sh [OPTION]...     options are those of compare.py (--models, --shapes, --threads, --json ...)
#
# The peers live in a virtual environment of their own, build/compare/venv (some GB), made here when it is missing;
# PEERS_PYTHON names another interpreter that has them. A peer that cannot be had is reported as absent.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PEERS_PYTHON:-build/compare/venv/bin/python}
if ! command -v "$python" >/dev/null; then
  echo "compare: installing the peers into build/compare/venv"
  python3 -m venv build/compare/venv
  # One by one, so that a peer without a package for this machine does not take the others with it.
  grep -v '^#' bench/compare/requirements.txt | while read -r package; do
    build/compare/venv/bin/pip install --quiet --disable-pip-version-check "$package" ||
      echo "compare: $package cannot be installed here" >&2
  done
fi
if ! "$python" -c 'import numpy, safetensors' 2>/dev/null; then
  echo "compare: NOTHING COMPARED: $python lacks numpy or safetensors (no network?)" >&2
  exit 3
fi
exec "$python" bench/compare/compare.py "$@"
