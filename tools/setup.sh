#!/usr/bin/env bash
# Installs the Debian 12 packages that a task needs, and nothing that is there already.
#
#   tools/setup.sh [build|demo|test|bench|docs|check|aarch64|all]...     without a word: build
#
# `all` leaves out aarch64, the compiler and emulator that only `make check-aarch64` uses.
set -euo pipefail

packages_for() {
  case $1 in
    build) echo g++ cmake ninja-build pkg-config ccache nlohmann-json3-dev libsimdjson-dev libpcre2-dev \
      libutf8proc-dev libsqlite3-dev libssl-dev libgtest-dev python3 ;;
    demo) echo python3 python3-pip ;;
    test) packages_for build ;;
    bench) echo python3-pip python3-venv ;;
    docs) echo doxygen ;;
    check) echo clang-14 libclang-rt-14-dev llvm-14 clang-format-14 clang-tidy-14 ;;
    aarch64) packages_for build
      echo g++-aarch64-linux-gnu qemu-user-static ;;
    all) for each in build demo bench docs check; do packages_for $each; done ;;
    *)
      echo "setup: no task named '$1'; there are build, demo, test, bench, docs, check, aarch64 and all" >&2
      return 2
      ;;
  esac
}

# The ones of "$@" that are not installed; python3-pip counts as there when any pip is.
missing() {
  local installed
  installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
  for package in $(printf '%s\n' "$@" | awk '!seen[$0]++'); do
    grep -qx "installed $package" <<<"$installed" && continue
    [[ $package == python3-pip ]] && command -v pip3 >/dev/null && continue
    echo "$package"
  done
}

[[ $# -gt 0 ]] || set -- build
wanted=()
for task in "$@"; do
  listed=$(packages_for "$task")
  read -ra listed <<<"${listed//$'\n'/ }"
  wanted+=("${listed[@]}")
done
if ! command -v dpkg-query >/dev/null; then
  echo "setup: this is no Debian; install what these packages hold by hand: ${wanted[*]}" >&2
  exit 1
fi
mapfile -t needed < <(missing "${wanted[@]}")
[[ ${#needed[@]} -eq 0 ]] && exit 0

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: these packages are missing and sudo is not there; as root: apt-get install ${needed[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "setup: installing ${needed[*]}${as_root[0]:+ (with sudo)}"
install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive
  apt-get install --yes --quiet=2 --no-install-recommends "${needed[@]}")
# The package lists of a machine that is set up are good enough; a fresh one has none.
"${install[@]}" >/dev/null 2>&1 || { "${as_root[@]}" apt-get update --quiet=2 && "${install[@]}" >/dev/null; }
