import type { Transport } from './request.js';

/**
 * What every request says of itself. The encoding is always identity: digests are of the bytes on the wire, and some registries
 * compress what they are not asked to.
 */
export function withCommonHeaders(next: Transport, userAgent: string): Transport {
  return (request) =>
    next({
      ...request,
      headers: { 'user-agent': userAgent, 'accept-encoding': 'identity', ...request.headers },
    });
}
