#!/usr/bin/env bash
# Installs a build into an empty prefix and uses it as a stranger would: find_package, pkg-config, the examples.
#
#   tests/install/run.sh BUILD_FOLDER CXX CC
set -euo pipefail
build=$1
cxx=$2
cc=$3
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
export ACCELERATE_CACHE=off ACCELERATE_RECORDS=off

fail() {
  echo "install: $*" >&2
  exit 1
}

# use FOLDER PROGRAM ARGUMENTS...: builds the project in FOLDER against the prefix, then runs its program.
use() {
  local source=$1 program=$2 folder
  folder=$work/build/$(basename "$source")
  shift 2
  cmake -S "$source" -B "$folder" -G Ninja --log-level=WARNING -D CMAKE_PREFIX_PATH="$prefix" \
    -D CMAKE_CXX_COMPILER="$cxx" -D CMAKE_C_COMPILER="$cc" -D CMAKE_BUILD_TYPE=Release --no-warn-unused-cli
  cmake --build "$folder"
  echo "install: $(basename "$source") answers:"
  "$folder/$program" "$@"
}

cmake --install "$build" --prefix "$prefix" --strip >"$work/log" || fail "$(cat "$work/log")"
[[ -f $prefix/share/doc/ipfs_accelerate/LICENSE ]] || fail "no LICENSE in $(find "$prefix" -type f)"

use "$root/tests/install/boundary" boundary

# Every public header compiles by itself, with no other include path, and so needs no other library's headers.
for header in "$prefix"/include/accelerate/*.hpp; do
  echo "#include <accelerate/$(basename "$header")>" | "$cxx" -std=c++20 -Wall -Wextra -Werror -fsyntax-only \
    -I "$prefix/include" -x c++ - || fail "$(basename "$header") does not compile alone"
done
for header in "$prefix"/include/accelerate/*.h; do
  [[ -f $header ]] || continue
  echo "#include <accelerate/$(basename "$header")>" | "$cc" -std=c11 -Wall -Wextra -Werror -pedantic -fsyntax-only \
    -I "$prefix/include" -x c - || fail "$(basename "$header") is no valid C"
done

# Nothing but our names leaves the library.
library=$(find "$prefix" -name 'libipfs_accelerate.so')
strangers=$(nm --dynamic --demangle --defined-only "$library" | cut -d ' ' -f 3- | grep -v 'accelerate' || true)
[[ -z $strangers ]] || fail "the library exports names that are not ours: $strangers"

export PKG_CONFIG_PATH=$(dirname "$library")/pkgconfig
# shellcheck disable=SC2046  # the flags are words
"$cxx" -std=c++20 "$root/tests/install/boundary/boundary.cpp" $(pkg-config --cflags --libs ipfs_accelerate) \
  -o "$work/boundary"
LD_LIBRARY_PATH=$(dirname "$library") "$work/boundary"

# Both languages give the vectors that the other gives; a model that is not there ends in an error, not in a crash.
model=$root/tests/goldens/models/sentence_transformer
if nm --dynamic --demangle "$library" | grep -q 'accelerate::Model::open'; then
  use "$root/examples/cpp" embed "$model" "A sentence." "Another." | tee "$work/cpp"
  use "$root/examples/c" embed "$model" "A sentence." "Another." | tee "$work/c"
  grep -q '^A sentence\.  \[.*numbers)$' "$work/cpp" || fail "the C++ example gave no vector"
  diff <(grep 'numbers)$' "$work/cpp") <(grep 'numbers)$' "$work/c") || fail "C and C++ give different vectors"
  for language in cpp c; do
    status=0
    "$work/build/$language/embed" "$work/nowhere" "A sentence." 2>"$work/error" || status=$?
    [[ $status -eq 1 ]] && grep -q "^error: .*nowhere" "$work/error" || fail "$language: exit code $status, $(cat "$work/error")"
  done
fi

program=$prefix/bin/ipfs-accelerate
if [[ -f $program ]]; then
  "$program" --version
  "$program" doctor | grep "^probing program  *well  *$prefix/libexec/ipfs-accelerate/" ||
    fail "$("$program" doctor)"
fi
echo "install: done"
