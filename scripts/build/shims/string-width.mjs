/**
 * Stands in for `string-width` inside the bundle. Loading the real module costs a sixth of the whole start
 * (`new Intl.Segmenter()`, `\p{RGI_Emoji}`); the width of plain ASCII is its length. Anything else is measured by
 * the real one, which is a chunk of its own.
 */
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

export default function stringWidth(text, options) {
  if (typeof text !== 'string') return 0;
  if (PRINTABLE_ASCII.test(text)) return text.length;
  // oxlint-disable-next-line no-undef -- the bundle is CommonJS; scripts/build/build.mjs writes this file beside it
  return require('./string-width.cjs').default(text, options);
}
