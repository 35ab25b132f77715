/**
 * Replaces undici's `lib/web/fetch/body.js`, which turns FormData and Blobs into bytes: the program
 * sends only bytes and streams.
 */
export function extractBody() {
  throw new TypeError('the bundle sends only bytes and streams');
}
