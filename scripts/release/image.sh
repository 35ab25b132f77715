#!/usr/bin/env bash
# Releases the container image IMAGE, in two steps of the release workflow:
#   image.sh build PLATFORM DIGESTS    builds it for a platform from dist/, pushes it by digest, and leaves DIGESTS/HEX
#   image.sh publish VERSION DIGESTS   publishes the index of these images under its tags, with manifest-tool itself
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# Those of the base, node:24-slim.
readonly platforms=linux/amd64,linux/arm64,linux/ppc64le,linux/s390x

build() {
  local platform=$1 digests=$2 files
  files=$(mktemp -d)
  sh scripts/build/image-files.sh context "$files/image"
  # In place of the stage of this name, so that nothing runs for another platform and no emulation is needed.
  docker buildx build --platform "$platform" --build-context "files=$files" --metadata-file "$files/build.json" \
    --output "type=image,name=$IMAGE,push-by-digest=true,name-canonical=true,push=true" .
  mkdir -p "$digests"
  # Artifacts of GitHub accept no colon in a name.
  touch "$digests/$(node -p 'require(process.argv[1])["containerimage.digest"].replace("sha256:", "")' "$files/build.json")"
  rm -r "$files"
}

publish() {
  local version=$1 digests=$2 tags=()
  # Only a release moves the tags that people follow.
  if [[ $version != *-* ]]; then tags=(--tag "${version%.*}" --tag "${version%%.*}" --tag latest); fi
  node bin/manifest-tool.cjs create --target "$IMAGE:$version" "${tags[@]}" --type oci \
    --digests "$digests" --require "$platforms" \
    --annotation "org.opencontainers.image.version=$version" \
    --annotation 'org.opencontainers.image.licenses=Apache-2.0' \
    --annotation "org.opencontainers.image.source=$(node -p 'require("./project.json").repository')" \
    --verify ${GITHUB_OUTPUT:+--dotenv "$GITHUB_OUTPUT"}
}

"$@"
