import { formatDuration, parseDuration } from '../duration.js';
import type { HttpResponse } from './request.js';

/** How much of a body is searched for a wait, in bytes. */
const MAX_SEARCHED = 4096;

/** Longest single wait, in milliseconds; if a server asks for more, the request fails. */
export const MAX_WAIT_MS = 60_000;
/** The hint after a longer wait. */
export const WAIT_ADVICE = 'try again at that time: the program itself waits at most a minute';
/** Larger numbers are a time since 1970 and not a wait: in seconds, or from the second in milliseconds. */
const MIN_UNIX_S = 1e9;
const MIN_UNIX_MS = 1e12;
const YEAR_MS = 365 * 24 * 3_600_000;

/**
 * The wait that a server asks for, in milliseconds; undefined if it asks for none. Read from
 * Retry-After, in seconds or as a date (RFC 9110, 10.2.3), as a Unix time, as Docker Hub sends it, or
 * as a Go duration, also in the error message, as GitHub's registry sends it.
 * @param now the current time, in milliseconds since 1970.
 */
export function retryAfter(response: HttpResponse, now: number): number | undefined {
  const field = response.headers.first('retry-after')?.trim() ?? '';
  const time = unixTime(field);
  if (time !== undefined) return Math.max(0, time - now);
  const duration = /retry-after: *((?:[0-9.]+(?:h|ms|m|s|µs|us|ns))+)/.exec(startOf(response))?.[1];
  return parseDuration(field) ?? (duration === undefined ? undefined : parseDuration(duration));
}

/** The time that a field names, in milliseconds since 1970. */
function unixTime(field: string): number | undefined {
  if (/^[0-9]+(\.[0-9]+)?$/.test(field)) {
    const number = Number(field);
    if (number >= MIN_UNIX_MS) return number;
    return number >= MIN_UNIX_S ? number * 1000 : undefined;
  }
  // All three forms of a date begin with the day of the week (RFC 9110, 5.6.7); others are ISO 8601.
  const date = /^[A-Z][a-z]{2}|^[0-9]{4}-[0-9]{2}-[0-9]{2}T/.test(field)
    ? Date.parse(field)
    : Number.NaN;
  return Number.isNaN(date) ? undefined : date;
}

/** Whether a server asks for a longer wait than {@link MAX_WAIT_MS}. */
export function isLongWait(response: HttpResponse, now: number): boolean {
  return (retryAfter(response, now) ?? 0) > MAX_WAIT_MS;
}

/**
 * The wait that a server asks for, for messages: ` and asks to wait 20 s`, or with the time if it is
 * a long one; empty if it asks for none.
 */
export function formatWait(response: HttpResponse, now: number): string {
  const wait = retryAfter(response, now);
  if (wait === undefined) return '';
  if (wait > YEAR_MS) return ' and asks to wait more than a year';
  if (wait <= MAX_WAIT_MS) return ` and asks to wait ${formatDuration(wait)}`;
  const until = new Date(now + wait).toISOString().slice(0, 16).replace('T', ' ');
  return ` and asks to wait until ${until} UTC (${formatDuration(wait)})`;
}

/** Whether an answer is GitHub's 403 for a secondary rate limit, which means 429. */
export function isSecondaryLimit(response: HttpResponse): boolean {
  return response.status === 403 && /secondary rate limit/i.test(startOf(response));
}

function startOf({ body }: HttpResponse): string {
  return Buffer.from(body.subarray(0, MAX_SEARCHED)).toString();
}
