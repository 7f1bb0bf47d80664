#!/usr/bin/env bash
# Generates the reference of the public headers into build/docs/html.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build/docs
doxygen docs/Doxyfile
echo "build/docs/html/index.html"
