/** Stands in for node's `assert` where yargs imports it: two comparisons are all that yargs uses, node's module costs 3 ms. */
export function strictEqual(actual, expected, message) {
  if (!Object.is(actual, expected)) throw failure(message);
}

export function notStrictEqual(actual, expected, message) {
  if (Object.is(actual, expected)) throw failure(message);
}

function failure(message) {
  return message instanceof Error ? message : new Error(message ?? 'assertion failed');
}
