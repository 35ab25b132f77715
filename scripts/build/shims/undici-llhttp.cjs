/**
 * Replaces undici's parser without SIMD, which is used only on processors that have none: 72 kB that would be read and compiled
 * at every start. The real one is a file of its own.
 */
// @ts-expect-error -- scripts/build/build.mjs writes this file beside the bundle
// oxlint-disable-next-line no-undef -- the bundle is CommonJS
module.exports = require('./llhttp.cjs');
