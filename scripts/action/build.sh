#!/usr/bin/env bash
# Step of the Action: builds the program out of its sources, unless the ref that `uses` names has it built.
set -euo pipefail
cd "$GITHUB_ACTION_PATH"
[ ! -f dist/cli/entry.cjs ] || exit 0
echo '::group::Building manifest-tool'
# What builds it is a development dependency, also in a job with NODE_ENV=production.
npm ci --include=dev --ignore-scripts --no-audit --no-fund
npm run --silent build
echo '::endgroup::'
