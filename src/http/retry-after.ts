import { parseDuration } from '../duration.js';
import type { HttpResponse } from './request.js';

/**
 * How long a server asks to wait, in milliseconds, or undefined where it does not say: Retry-After in seconds or as a date (RFC 9110,
 * 10.2.3), or a Go duration in the text of the error, as GitHub's registry writes it.
 */
export function retryAfter(response: HttpResponse, now: number): number | undefined {
  const field = response.headers.first('retry-after')?.trim();
  if (field !== undefined && /^[0-9]+$/.test(field)) return Number(field) * 1000;
  const date = field === undefined ? Number.NaN : Date.parse(field);
  if (!Number.isNaN(date)) return Math.max(0, date - now);
  const text = Buffer.from(response.body.subarray(0, MAX_READ)).toString();
  const duration = /retry-after: *((?:[0-9.]+(?:h|ms|m|s|µs|us|ns))+)/.exec(text)?.[1];
  return duration === undefined ? undefined : parseDuration(duration);
}

const MAX_READ = 4096;

/** GitHub's registry answers 403 where it means 429. */
export function isSecondaryLimit({ status, body }: HttpResponse): boolean {
  return (
    status === 403 &&
    /secondary rate limit/i.test(Buffer.from(body.subarray(0, MAX_READ)).toString())
  );
}
