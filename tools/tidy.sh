#!/usr/bin/env bash
# clang-tidy on the sources; build/tidy holds their flags, which are clang's, and precompiled headers.
#
#   tools/tidy.sh --all           everything
#   tools/tidy.sh --since COMMIT  files changed since that commit, and files that include a changed header
#   tools/tidy.sh --recent        everything, last changed first
#   tools/tidy.sh FILE...
#
# Before these: --within SECONDS, as many files as fit into the time, says how many were left; --deep, also clang's
# path-sensitive analyzer, which takes three times as long.
set -euo pipefail
cd "$(dirname "$0")/.."
database=build/tidy
limit=
export TIDY_MORE=
while [[ ${1:-} == --deep || ${1:-} == --within ]]; do
  if [[ $1 == --within ]]; then
    limit=$2
    shift
  else
    TIDY_MORE=--checks=clang-analyzer-*,-clang-analyzer-optin.performance.Padding
  fi
  shift
done
case ${1:-} in
  --all) mapfile -t files < <(git ls-files -- 'src/*.cpp') ;;
  --since)
    mapfile -t changed < <(git diff --name-only --diff-filter=d "$2" -- src include)
    files=()
    for file in "${changed[@]}"; do
      if [[ $file == *.cpp ]]; then
        files+=("$file")
      else
        include=${file#src/}
        mapfile -t -O "${#files[@]}" files < <(git grep -lF "#include \"${include#include/}\"" -- 'src/*.cpp')
      fi
    done
    ;;
  --recent)
    mapfile -t files < <(git log --format= --name-only --diff-filter=d -- 'src/*.cpp' | awk '!seen[$0]++' |
      while read -r file; do [[ -f $file ]] && echo "$file"; done)
    ;;
  -* | '') sed -n '2,11s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
  *) files=("$@") ;;
esac
[[ ${#files[@]} -gt 0 ]] || { echo "tidy: nothing to look at"; exit 0; }
mapfile -t files < <(printf '%s\n' "${files[@]}" | awk '!seen[$0]++')
tools/build.sh tidy >/dev/null
left=$(mktemp)
trap 'rm -f "$left"' EXIT

tidy_one() {
  if [[ -n $1 && $(date +%s) -ge $1 ]]; then
    echo "$4" >>"$2"
    return 0
  fi
  # shellcheck disable=SC2086  # empty means no argument
  # It counts warnings of suppressed headers aloud; only what it found in ours is worth a line.
  clang-tidy-14 --quiet $TIDY_MORE -p "$3" "$4" 2> >(grep -v 'warnings\? generated\|^Suppressed\|^Use -header-filter' >&2)
}
export -f tidy_one
status=0
printf '%s\0' "${files[@]}" | xargs -0 -P "${JOBS:-$(nproc)}" -I{} \
  bash -c 'tidy_one "$@"' tidy "${limit:+$(($(date +%s) + limit))}" "$left" "$database" {} || status=1
unseen=$(wc -l <"$left")
echo "tidy: $((${#files[@]} - unseen)) of ${#files[@]} files looked at"
exit "$status"
