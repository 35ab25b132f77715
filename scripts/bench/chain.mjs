/** A connection. @typedef {{ opened: number }} Connection `opened` is when its client started to connect */

/**
 * A request as its client sees it, in milliseconds of one clock.
 * @typedef {object} Span
 * @property {number} start when it was sent
 * @property {number | undefined} end when its answer had come in full
 * @property {Connection} [connection] the one that it was sent over
 */

/**
 * The longest chain: the largest number of requests of which each was sent after the complete
 * response to the previous one. A command has to wait for it, however many requests run
 * concurrently.
 * @param {readonly Span[]} spans in any order
 * @param {number} [connecting] round trips to open a connection, if they count too
 * @returns {number} 0 if there are none
 */
export function longestChain(spans, connecting = 0) {
  /** @type {Map<Span | Connection, number>} The longest chain that ends with a request, or with a connection that stands. */
  const depths = new Map();
  const byEnd = spans.toSorted((a, b) => endOf(b) - endOf(a));
  let ended = 0;
  for (const each of inOrder(spans)) {
    for (let next = byEnd.at(-1); next && endOf(next) <= timeOf(each); next = byEnd.at(-1)) {
      ended = Math.max(ended, depths.get(next) ?? 0);
      byEnd.pop();
    }
    if ('opened' in each) depths.set(each, ended + connecting);
    else depths.set(each, 1 + Math.max(ended, depthOfConnection(each, depths)));
  }
  return Math.max(0, ...depths.values());
}

/** All connections and requests, in the order in which they started. @param {readonly Span[]} spans */
function inOrder(spans) {
  const connections = new Set(spans.flatMap(({ connection }) => connection ?? []));
  return [...connections, ...spans].sort((a, b) => timeOf(a) - timeOf(b));
}

/** @param {Span} span @param {Map<Span | Connection, number>} depths */
function depthOfConnection({ connection }, depths) {
  return connection === undefined ? 0 : (depths.get(connection) ?? 0);
}

/** @param {Span | Connection} each */
function timeOf(each) {
  return 'opened' in each ? each.opened : each.start;
}

/** @param {Span} span */
function endOf({ end }) {
  return end ?? Infinity;
}
