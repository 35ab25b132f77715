#!/usr/bin/env bash
# Prepares the files of a release: adds a gzip copy of each executable (a third of the size), and SHA256SUMS. Running it again
# changes nothing.
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
