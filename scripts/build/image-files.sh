#!/bin/sh
# Arranges the files of the container image: image-files.sh build|context FOLDER. The Dockerfile runs it in the sources.
set -eu
dist=$1 image=$2

case $dist in
  build) npm run --silent build ;;
  context)
    if [ ! -f dist/cli/entry.cjs ]; then
      echo 'image-files: DIST=context takes dist/ as it is, and there is none: run `npm run build` first' >&2
      exit 1
    fi
    ;;
  *)
    echo "image-files: DIST is build or context, not $dist" >&2
    exit 1
    ;;
esac

program=$image/opt/manifest-tool
mkdir -p "$program/bin" "$program/dist" "$image/usr/local/bin" "$image/etc/ssl/certs" \
  "$image/home/nonroot" "$image/work"
cp bin/manifest-tool.cjs "$program/bin/"
cp -R dist/cli "$program/dist/"
cp LICENSE THIRD-PARTY-LICENSES "$program/"
chmod -R a+rX "$image"
chmod a+x "$program/bin/manifest-tool.cjs"
# For scripts that run inside the container, as in GitLab and Jenkins.
ln -s ../../../opt/manifest-tool/bin/manifest-tool.cjs "$image/usr/local/bin/manifest-tool"

# The program uses Node's authorities. Credential helpers use this file: the builder's bundle, which may include a company's
# authorities, or Node's if the builder has none.
bundle=etc/ssl/certs/ca-certificates.crt
if [ -s "/$bundle" ]; then
  cp -L "/$bundle" "$image/$bundle"
else
  node -p 'require("node:tls").rootCertificates.join("\n")' > "$image/$bundle"
fi
