import { parseDuration } from '../duration.js';
import type { HttpResponse } from './request.js';

/** How much of a body is searched for a wait, in bytes. */
const MAX_SEARCHED = 4096;

/**
 * The wait that a server asks for, in milliseconds; undefined if it asks for none. Read from
 * Retry-After, in seconds or as a date (RFC 9110, 10.2.3), or from a Go duration in the error
 * message, as GitHub's registry sends it.
 * @param now the current time, in milliseconds since 1970.
 */
export function retryAfter(response: HttpResponse, now: number): number | undefined {
  const field = response.headers.first('retry-after')?.trim() ?? '';
  if (/^[0-9]+$/.test(field)) return Number(field) * 1000;
  // All three forms of a date begin with the day of the week (RFC 9110, 5.6.7).
  const date = /^[A-Z][a-z]{2}/.test(field) ? Date.parse(field) : Number.NaN;
  if (!Number.isNaN(date)) return Math.max(0, date - now);
  const duration = /retry-after: *((?:[0-9.]+(?:h|ms|m|s|µs|us|ns))+)/.exec(startOf(response))?.[1];
  return duration === undefined ? undefined : parseDuration(duration);
}

/** Whether an answer is GitHub's 403 for a secondary rate limit, which means 429. */
export function isSecondaryLimit(response: HttpResponse): boolean {
  return response.status === 403 && /secondary rate limit/i.test(startOf(response));
}

function startOf({ body }: HttpResponse): string {
  return Buffer.from(body.subarray(0, MAX_SEARCHED)).toString();
}
