/** Stands in for node's `assert` inside of undici, which only wants to know whether something holds: node's module costs 3 ms. */
module.exports = function assert(holds, message) {
  if (!holds) throw message instanceof Error ? message : new Error(message ?? 'assertion failed');
};
