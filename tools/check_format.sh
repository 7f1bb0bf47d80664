#!/usr/bin/env bash
# Are all C++ sources under git formatted as .clang-format says? --fix formats them.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=(--dry-run -Werror)
[[ ${1:-} == --fix ]] && mode=(-i)
mapfile -d '' -t files < <(git ls-files -z -- '*.cpp' '*.hpp' '*.c' '*.h' ':!third_party')
clang-format-14 --style=file "${mode[@]}" "${files[@]}"
