/**
 * Stands in for undici's parser without SIMD, which is needed where a processor has none: 72 kB that would be read and compiled at every
 * start. The real one is a file of its own.
 */
// oxlint-disable-next-line no-undef -- the bundle is CommonJS; scripts/build/build.mjs writes this file beside it
module.exports = require('./llhttp.cjs');
