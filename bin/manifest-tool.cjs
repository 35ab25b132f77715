#!/usr/bin/env node
'use strict';
// Only syntax that an old Node can parse, so that it can report that it is too old. Nothing has been
// started before either exit.

var version = process.versions.node.split('.').map(Number);
var major = version[0] || 0;
var minor = version[1] || 0;
if (major < 20 || (major === 20 && minor < 20)) {
  console.error(
    'manifest-tool: Node.js 20.20 or newer is needed, this is ' +
      process.versions.node +
      '\nhint: install a newer Node.js, or the single executable of manifest-tool',
  );
  process.exit(1);
}
var entry = require('path').join(__dirname, '../dist/cli/entry.cjs');
if (!require('fs').existsSync(entry)) {
  console.error('manifest-tool: not built yet: run npm run build');
  process.exit(1);
}
require(entry);
