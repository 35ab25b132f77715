/**
 * Replaces node's `assert` for yargs, which uses only these two comparisons: loading node's module
 * takes 3 ms.
 */

/** @param {unknown} actual @param {unknown} expected @param {string | Error} [message] */
export function strictEqual(actual, expected, message) {
  if (!Object.is(actual, expected)) throw failure(message);
}

/** @param {unknown} actual @param {unknown} expected @param {string | Error} [message] */
export function notStrictEqual(actual, expected, message) {
  if (Object.is(actual, expected)) throw failure(message);
}

/** @param {string | Error} [message] */
function failure(message) {
  return message instanceof Error ? message : new Error(message ?? 'assertion failed');
}
