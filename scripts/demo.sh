#!/usr/bin/env bash
# Publishes a list of eight platforms from the layout in fixtures/ into a new layout, and shows it. Needs no network service.
set -euo pipefail
cd "$(dirname "$0")/.."

platforms=linux/amd64,linux/arm64/v8,linux/arm/v7,linux/386,linux/ppc64le,linux/s390x,linux/riscv64
target_dir=$(mktemp -d)/demo
push() {
  echo "\$ manifest-tool push --type oci from-args --platforms $platforms --template $1 --target $2"
}

# A template whose VARIANT stands behind a dash fits only platforms that have one, so the fixture has two forms of name.
template='oci-layout://fixtures/layout:OS-ARCHVARIANT'
target="oci-layout://$target_dir:1.0"
push "$template" "$target"
node bin/manifest-tool.cjs push --type oci from-args --platforms "$platforms" --template "$template" --target "$target"
echo
echo "\$ manifest-tool inspect $target"
node bin/manifest-tool.cjs inspect "$target"
echo "The same on a registry, where the images are example.com/app:linux-amd64 and so on:"
push 'example.com/app:OS-ARCHVARIANT' 'example.com/app:1.0'
