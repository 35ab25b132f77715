/** The median; undefined for an empty list. @param {readonly number[]} values */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

/** Measured quantities, in the order of the columns. @type {readonly (keyof Measured)[]} */
export const QUANTITIES = ['seconds', 'requests', 'connections', 'chain', 'mib'];

/**
 * Measurements of a run, or the medians of several; undefined if not measurable.
 * @typedef {{ seconds?: number | undefined, requests?: number | undefined, connections?: number | undefined, chain?: number | undefined, mib?: number | undefined }} Measured
 */

/** The median of each quantity. @param {readonly Measured[]} runs @returns {Measured} */
export function medians(runs) {
  /** @param {keyof Measured} quantity */
  const of = (quantity) => {
    const known = runs.flatMap((each) => each[quantity] ?? []);
    return known.length === runs.length ? median(known) : undefined;
  };
  return {
    seconds: of('seconds'),
    requests: of('requests'),
    connections: of('connections'),
    chain: of('chain'),
    mib: of('mib'),
  };
}
