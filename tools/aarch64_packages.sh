#!/usr/bin/env bash
# Unpacks the Debian packages that a build for 64-bit Arm links into build/aarch64-packages, from the same mirrors as
# the system's own. They are not installed: two of them cannot be there for two architectures at once.
set -euo pipefail
cd "$(dirname "$0")/.."
packages=(libsimdjson-dev libsimdjson14 nlohmann-json3-dev libpcre2-dev libpcre2-8-0 libutf8proc-dev libutf8proc2
  libsqlite3-dev libsqlite3-0 libssl-dev libssl3 libgtest-dev)
folder=$PWD/build/aarch64-packages
[[ -f $folder/complete && $(<"$folder/complete") == "${packages[*]}" ]] && exit 0

rm -rf "$folder"
mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial" "$folder/apt/debs"
touch "$folder/apt/status"
# Lists and cache of our own, so that nothing of the system's changes.
apt() {
  apt-get --quiet=2 -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User= \
    -o Dir::State="$folder/apt" -o Dir::State::status="$folder/apt/status" -o Dir::Cache="$folder/apt/cache" "$@"
}
echo "aarch64: fetching ${packages[*]}"
# A mirror that has nothing for this architecture is no reason to stop; a missing package is.
apt update 2>"$folder/apt/log" || true
(cd "$folder/apt/debs" && apt download "${packages[@]}") || {
  cat "$folder/apt/log" >&2
  exit 1
}
for deb in "$folder"/apt/debs/*.deb; do dpkg-deb --extract "$deb" "$folder"; done
rm -rf "$folder/apt"
echo "${packages[*]}" >"$folder/complete"
