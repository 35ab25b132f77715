#!/usr/bin/env node
'use strict';

var node = process.versions.node.split('.').map(Number);
if (node[0] < 20 || (node[0] === 20 && node[1] < 20)) {
  console.error(
    'manifest-tool: Node.js 20.20 or newer is needed, this is ' +
      process.versions.node +
      '\nhint: install a newer Node.js, or the single executable of manifest-tool',
  );
  process.exit(1);
}
if (!require('fs').existsSync(require('path').join(__dirname, '../dist/cli/entry.cjs'))) {
  console.error('manifest-tool: not built yet: run npm run build');
  process.exit(1);
}
require('../dist/cli/entry.cjs');
