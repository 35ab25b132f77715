/** The middle one, or the mean of the two in the middle; undefined of nothing. @param {readonly number[]} values */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

/** What is measured of a run, in the order in which it is shown. @type {readonly (keyof Measured)[]} */
export const QUANTITIES = ['seconds', 'requests', 'connections', 'chain', 'mib'];

/**
 * What was measured of a run, or the medians of several; undefined for what nobody can tell.
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
