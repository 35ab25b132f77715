import { now } from '../clock.js';
import { reasonOf, systemCode } from '../errors.js';
import type { Transport } from './request.js';

/** One request as it went over the wire. */
export interface RequestRecord {
  /** `GET`, `HEAD`, `PUT` and so on. */
  readonly method: string;
  /** Without what may be a secret: no credentials, and of the query only what is known to be harmless. */
  readonly url: string;
  /** The status of the answer, or what went wrong. */
  readonly outcome: number | string;
  /** From its beginning to its end, waits before it not counted. */
  readonly milliseconds: number;
  /** Which try this is, counted from 1. */
  readonly attempt: number;
  /** Where its credentials came from; undefined where it had none. */
  readonly signedWith: string | undefined;
}

/** Tells `record` of each request, whatever became of it. */
export function withLog(next: Transport, record: (request: RequestRecord) => void): Transport {
  return async (request) => {
    const start = now();
    const attempt = request.attempts?.number ?? 1;
    const done = (outcome: number | string): void =>
      record({
        method: request.method,
        url: shownUrl(request.url),
        outcome,
        milliseconds: Math.round(now() - start),
        attempt,
        signedWith: request.signedWith,
      });
    try {
      const response = await next(request);
      done(response.status);
      return response;
    } catch (error) {
      done(systemCode(error) ?? reasonOf(error));
      throw error;
    }
  };
}

/** Query parameters that hold no secret; any other may be a signature or a session. */
const SHOWN = new Set(['scope', 'service', 'mount', 'from', 'digest', 'n', 'last', 'tag']);

/** A URL as it may be shown: no credentials, and of the query only what is known to be harmless. */
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
