/**
 * Replaces undici's client for HTTP/2, which the program does not use
 * (docs/decisions/http2-client.md) and which would load node's `http2`: 10 ms.
 */
module.exports = function connectH2() {
  throw new TypeError('the bundle speaks HTTP/1.1');
};
