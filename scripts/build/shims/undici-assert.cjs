/**
 * Replaces node's `assert` for undici, which only calls it as a function: loading node's module
 * takes 3 ms.
 * @param {unknown} holds
 * @param {string | Error} [message]
 */
module.exports = function assert(holds, message) {
  if (!holds) throw message instanceof Error ? message : new Error(message ?? 'assertion failed');
};
