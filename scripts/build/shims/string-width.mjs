/**
 * Replaces `string-width` in the bundle. Loading the original takes a sixth of start-up (`new
 * Intl.Segmenter()`, `\p{RGI_Emoji}`). The width of printable ASCII is its length; for everything
 * else the original is loaded from a separate file.
 */
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/** Columns that a string takes on a terminal. @param {unknown} text @param {object} [options] those of string-width @returns {number} */
export default function stringWidth(text, options) {
  if (typeof text !== 'string') return 0;
  if (PRINTABLE_ASCII.test(text)) return text.length;
  // @ts-expect-error -- scripts/build/build.mjs writes this file beside the bundle
  // oxlint-disable-next-line no-undef -- the bundle is CommonJS
  return require('./string-width.cjs').default(text, options);
}
