#!/usr/bin/env bash
# Makes a folder of release files ready to be attached: each executable compressed as well (a third of the size), and
# SHA256SUMS of all. Running it again gives the same.
set -euo pipefail
cd "$1"

rm -f SHA256SUMS
for file in manifest-tool-*; do
  case $file in
    *.gz | *.tgz | *.json | *.txt) ;;
    *) gzip --best --keep --force --no-name "$file" ;;
  esac
done
sha256sum -- * > .sums
mv .sums SHA256SUMS
