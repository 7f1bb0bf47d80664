#!/usr/bin/env bash
# Measures ipfs-accelerate beside PyTorch, ONNX Runtime, OpenVINO and CTranslate2, and says which goals are reached.
#
#   bench/compare/run.sh [OPTION]...                     encoders; options are those of compare.py, --help lists them
#   bench/compare/run.sh --only generation [OPTION]...   text generation; options are those of generation.py
#   bench/compare/run.sh --install                       installs all peers, in pinned versions (some GB)
#
# They live in a virtual environment of their own: build/compare/venv, or where PEERS_VENV says. PEERS_PYTHON names
# another interpreter that has them. Without any, ours is measured alone and each peer is reported as absent.
# COMPARE_CACHE: where models, inputs and conversions are kept (build/compare). ACCELERATE_MINILM, ACCELERATE_SMOLLM2:
# the real MiniLM and the GGUF file of the real SmolLM2.
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
  install_sites || failed=1
  return "$failed"
}

# What decodes with ONNX Runtime and OpenVINO needs older libraries than the rest: each in a folder of its own, which
# only that peer's process sees.
install_sites() {
  local failed=0 sites=${COMPARE_CACHE:-build/compare}/sites
  site() {
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --upgrade --target "$sites/$1" "${@:2}" && return
    echo "compare: what $1 needs for text generation cannot be installed here" >&2
    failed=1
  }
  site onnx optimum-onnx==0.1.0 optimum==2.1.0 transformers==4.57.6 tokenizers==0.22.2 huggingface_hub==0.36.2 \
    requests charset_normalizer urllib3 certifi
  site openvino optimum-intel==2.2.0 optimum==2.1.0 transformers==5.5.4 tokenizers==0.22.2 huggingface_hub==1.21.0 \
    openvino-tokenizers httpx httpcore sniffio requests charset_normalizer urllib3 certifi
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
program=compare.py
if [[ ${1:-} == --only ]]; then
  case ${2:-} in
    generation) program=generation.py ;;
    encoders) ;;
    *) echo "compare: --only generation or --only encoders" >&2; exit 2 ;;
  esac
  shift 2
fi
exec "$python" "bench/compare/$program" "$@"
