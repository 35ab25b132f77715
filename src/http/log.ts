import { now } from '../clock.js';
import { reasonOf, systemCode } from '../errors.js';
import type { Layer } from './request.js';

/** One request that was sent. */
export interface RequestRecord {
  /** `GET`, `HEAD`, `PUT` and so on. */
  readonly method: string;
  /** Without credentials, and without the values of query parameters that may be secret. */
  readonly url: string;
  /** The status of the answer, or the error. */
  readonly outcome: number | string;
  /** From start to end, without waits before it. */
  readonly milliseconds: number;
  /** Which attempt this is, counted from 1. */
  readonly attempt: number;
  /** Source of the credentials; undefined if there were none. */
  readonly signedWith: string | undefined;
}

/** Reports each request after its end, whatever its outcome. */
export function requestLog(onRequest: (record: RequestRecord) => void): Layer {
  return async (request, next) => {
    const start = now();
    const attempt = request.attempts?.number ?? 1;
    const report = (outcome: number | string): void =>
      onRequest({
        method: request.method,
        url: shownUrl(request.url),
        outcome,
        milliseconds: Math.round(now() - start),
        attempt,
        signedWith: request.signedWith,
      });
    try {
      const response = await next(request);
      report(response.status);
      return response;
    } catch (error) {
      report(systemCode(error) ?? reasonOf(error));
      throw error;
    }
  };
}

/** Query parameters that are never secret; any other may be a signature or a session. */
const SHOWN = new Set(['scope', 'service', 'mount', 'from', 'digest', 'n', 'last', 'tag']);

/** A URL without credentials, and without the values of query parameters that may be secret. */
export function shownUrl(url: URL): string {
  const query = url.search
    .slice(1)
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      const name = part.slice(0, Math.max(equals, 0));
      if (SHOWN.has(name)) return part;
      return equals < 0 ? 'REDACTED' : `${name}=REDACTED`;
    });
  return `${url.origin}${url.pathname}${query.length === 0 ? '' : `?${query.join('&')}`}`;
}
