#!/usr/bin/env bash
# Publishes an index of seven platforms, from the layout in fixtures/ to a new layout, and inspects it. Needs no network.
set -euo pipefail
cd "$(dirname "$0")/.."

platforms=linux/amd64,linux/arm64/v8,linux/arm/v7,linux/386,linux/ppc64le,linux/s390x,linux/riscv64
target_dir=$(mktemp -d)/demo
push() {
  echo "\$ manifest-tool push --type oci from-args --platforms $platforms --template $1 --target $2"
}

# Without a dash before VARIANT, the template also fits platforms that have no variant.
template='oci-layout://fixtures/layout:OS-ARCHVARIANT'
target="oci-layout://$target_dir:1.0"
push "$template" "$target"
node bin/manifest-tool.cjs push --type oci from-args --platforms "$platforms" --template "$template" --target "$target"
echo
echo "\$ manifest-tool inspect $target"
node bin/manifest-tool.cjs inspect "$target"
echo "The same on a registry, where the images are example.com/app:linux-amd64 and so on:"
push 'example.com/app:OS-ARCHVARIANT' 'example.com/app:1.0'
