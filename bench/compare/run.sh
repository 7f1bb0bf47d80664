#!/usr/bin/env bash
# Measures ipfs-accelerate beside PyTorch, ONNX Runtime, OpenVINO and CTranslate2, and says which goals are reached.
#
#   bench/compare/run.sh [OPTION]...     options are those of compare.py; --help lists them
#   bench/compare/run.sh --install       installs all peers, in the versions of requirements.txt (some GB)
#
# They live in a virtual environment of their own: build/compare/venv, or where PEERS_VENV says. PEERS_PYTHON names
# another interpreter that has them. Without any, ours is measured alone and each peer is reported as absent.
# COMPARE_CACHE: where models, inputs and conversions are kept (build/compare). ACCELERATE_MINILM: the real MiniLM.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=${PEERS_VENV:-build/compare/venv}
python=${PEERS_PYTHON:-$venv/bin/python}

install_peers() {
  local package failed=0 pinned=bench/compare/requirements.txt
  [[ -x $venv/bin/pip ]] || python3 -m venv "$venv"
  # One by one, so that a peer without a package for this machine does not take the others with it.
  while read -r package; do
    "$venv/bin/pip" install --quiet --disable-pip-version-check --constraint "$pinned" "$package" </dev/null && continue
    echo "compare: $package cannot be installed here" >&2
    failed=1
  done < <(grep -v '^#' "$pinned")
  return "$failed"
}

if [[ ${1:-} == --install ]]; then
  echo "compare: installing the peers into $venv"
  install_peers
  exit
fi
if ! command -v "$python" >/dev/null; then
  echo "compare: no peers are installed; bench/compare/run.sh --install does it" >&2
  python=python3
fi
exec "$python" bench/compare/compare.py "$@"
