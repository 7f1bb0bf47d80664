#!/usr/bin/env bash
# Brings the runtimes that tests of the backends use, pinned in tools/requirements-runtimes.txt, into a virtual
# environment of Python under build/, and prints its folder. Nothing outside it changes.
#
#   tools/fetch_runtimes.sh [FOLDER]     without a word: build/runtimes
#
# Tests are told of it by variables: eval "$(tools/fetch_runtimes.sh --variables)" sets them.
# Exit code 3: it could not be installed.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
requirements=$root/tools/requirements-runtimes.txt
variables=no
if [[ ${1:-} == --variables ]]; then
  variables=yes
  shift
fi
folder=${1:-$root/build/runtimes}

if ! cmp -s "$requirements" "$folder/requirements.txt"; then
  rm -rf "$folder"
  echo "fetch: installing $(grep -c '^[a-z]' "$requirements") packages into $folder" >&2
  if ! python3 -m venv "$folder" >&2 || ! "$folder/bin/pip" install -qq --disable-pip-version-check --no-cache-dir \
    --only-binary :all: --retries 4 --timeout 30 --requirement "$requirements" >&2; then
    echo "fetch: the runtimes could not be installed" >&2
    exit 3
  fi
  cp "$requirements" "$folder/requirements.txt"  # last, so that what was cut short is begun anew
fi

if [[ $variables == no ]]; then
  echo "$folder"
  exit 0
fi
for package in "$folder"/lib/python3*/site-packages; do
  echo "export ACCELERATE_ONNXRUNTIME='$package/onnxruntime/capi'"
  echo "export ACCELERATE_OPENVINO='$package/openvino/libs'"
done
echo "export ACCELERATE_RUNTIMES_PYTHON='$folder/bin/python'"
