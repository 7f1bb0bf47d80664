#!/usr/bin/env bash
# Builds the preset 'coverage', runs its tests and prints the share of lines that they reached, a folder a line.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/build.sh coverage
rm -rf build/coverage/profiles
LLVM_PROFILE_FILE=$PWD/build/coverage/profiles/%p.profraw tools/test.sh coverage
llvm-profdata-14 merge -sparse build/coverage/profiles/*.profraw -o build/coverage/all.profdata
objects=()
for program in build/coverage/test_* build/coverage/ipfs-accelerate; do
  [[ -f $program && -x $program ]] && objects+=(-object "$program")
done
# The first object goes without its flag, as llvm-cov wants it.
llvm-cov-14 export -summary-only -instr-profile build/coverage/all.profdata "${objects[@]:1}" \
  -ignore-filename-regex '(^/usr/|/tests/)' >build/coverage/summary.json
python3 - build/coverage/summary.json "$PWD" <<'PYTHON'
import collections, json, os, sys

reached, lines = collections.Counter(), collections.Counter()
for entry in json.load(open(sys.argv[1]))["data"][0]["files"]:
    folder = os.path.dirname(os.path.relpath(entry["filename"], sys.argv[2]))
    for key in (folder, "all"):
        reached[key] += entry["summary"]["lines"]["covered"]
        lines[key] += entry["summary"]["lines"]["count"]
for folder in sorted(lines):
    print(f"{100 * reached[folder] / lines[folder]:6.1f} %  of {lines[folder]:6d} lines  {folder}")
PYTHON
