/**
 * Replaces undici's parser for processors without SIMD, 72 kB that would be read and compiled at
 * every start. The original is loaded from a separate file on such processors.
 */
// @ts-expect-error -- scripts/build/build.mjs writes this file beside the bundle
// oxlint-disable-next-line no-undef -- the bundle is CommonJS
module.exports = require('./llhttp.cjs');
