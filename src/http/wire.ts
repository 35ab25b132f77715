import { Attempts } from '../attempts.js';
import type { HttpRequest, Transport } from './request.js';
import { orAborted } from '../concurrency.js';
import type { Origin } from './connect/origin.js';
import type { Timeouts } from './timeouts.js';
import { undiciTransport } from './undici.js';

/**
 * How many requests of one operation are sent again because the server has not processed them: a
 * server that ends its connections often refuses many.
 */
const MAX_RESENT = 20;

/**
 * The innermost layer: one request over the connections to its origin. Bulk goes over HTTP/1.1 in any case: it is faster there, and none of
 * it holds up what shares a connection with it.
 */
export function wireTransport(
  originOf: (url: URL) => Origin,
  timeouts: Timeouts,
  signal: AbortSignal,
): Transport {
  const overHttp1 = undiciTransport((url) => originOf(url).http1, timeouts, signal);
  return async (request) => {
    // undici would open a connection for a request that was aborted before.
    signal.throwIfAborted();
    const { http2 } = originOf(request.url);
    if (http2 === undefined || isBulk(request)) return overHttp1(request);
    const { attempts = new Attempts() } = request;
    for (;;) {
      const connection = await orAborted(http2.connection(), signal);
      if (connection === undefined) return overHttp1(request);
      try {
        return await connection.send(request, timeouts, signal);
      } catch (error) {
        if (!isNotProcessed(error) || attempts.countUnprocessed() > MAX_RESENT) throw error;
      }
    }
  };
}

/** Not by its class, which is loaded where a server speaks HTTP/2. */
function isNotProcessed(error: unknown): boolean {
  return error instanceof Error && error.name === 'NotProcessed';
}

function isBulk({ streamed, upload }: HttpRequest): boolean {
  return streamed === true || upload !== undefined;
}
