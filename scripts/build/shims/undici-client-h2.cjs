/** Stands in for undici's client for HTTP/2, which is not used (docs/performance.md) and would load node's `http2`: 10 ms. */
module.exports = function connectH2() {
  throw new TypeError('the bundle speaks HTTP/1.1');
};
