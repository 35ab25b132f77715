#!/usr/bin/env bash
# Step of the Action: builds the program from source, unless the ref in `uses` contains a build.
set -euo pipefail
cd "$GITHUB_ACTION_PATH"
[ ! -f dist/cli/entry.cjs ] || exit 0
echo '::group::Building manifest-tool'
# The build needs development dependencies, also in a job with NODE_ENV=production.
npm ci --include=dev --ignore-scripts --no-audit --no-fund
npm run --silent build
echo '::endgroup::'
