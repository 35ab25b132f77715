#!/usr/bin/env bash
# Step of the Action: sets found=true if the runner's Node can be used.
set -euo pipefail
found=false
if [ -z "${INPUT_NODE_VERSION:-}" ] && node -e '
  const [major, minor] = process.versions.node.split(".").map(Number);
  process.exit(major > 20 || (major === 20 && minor >= 20) ? 0 : 1);
' 2> /dev/null; then
  found=true
fi
echo "found=$found" >> "$GITHUB_OUTPUT"
