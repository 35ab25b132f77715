#!/usr/bin/env bash
# Unpacks cosign and notation into .cache/signing-tools/bin for the tests of docs/guides/sign-and-attest.md, from the packages
# of Debian unstable; nothing is installed. Elsewhere the tests use those in PATH, or are skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

folder=$PWD/.cache/signing-tools
has() { command -v "$1" > /dev/null; }
has cosign && has notation && exit 0
[ ! -x "$folder/bin/notation" ] || exit 0

keys=$(find /usr/share/keyrings -name 'debian-archive-keyring.*' 2> /dev/null | sort | head -n 1)
list=/etc/apt/sources.list
[ ! -f /etc/apt/sources.list.d/debian.sources ] || list=/etc/apt/sources.list.d/debian.sources
uri=$(sed -nE 's,^(URIs:|deb) .*(https?://[^ ]+).*,\2,p' "$list" 2> /dev/null | head -n 1)
if [ "$(id -u)" != 0 ] || [ -z "$keys" ] || [ -z "$uri" ]; then
  echo 'signing-tools: cosign and notation are missing: the tests of signatures by them are skipped'
  exit 0
fi

rm -rf "$folder"
mkdir -p "$folder"/{bin,lists/partial,archives/partial,packages}
# apt downloads as a user of its own.
chmod 777 "$folder/packages"
echo "deb [signed-by=$keys] $uri sid main" > "$folder/sources.list"
apt=(apt-get -qq -o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null
  -o "Dir::State::lists=$folder/lists" -o "Dir::Cache=$folder" -o APT::Sandbox::User=root)
if ! { "${apt[@]}" update && (cd "$folder/packages" && "${apt[@]}" download cosign notation); } > "$folder/log" 2>&1; then
  echo 'signing-tools: cosign and notation could not be downloaded: the tests of signatures by them are skipped'
  exit 0
fi
for package in "$folder"/packages/*.deb; do dpkg -x "$package" "$folder/root"; done
mv "$folder/root/usr/bin/cosign" "$folder/root/usr/bin/notation" "$folder/bin/"
rm -rf "$folder"/{root,lists,archives,packages,*.bin}
