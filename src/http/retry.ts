import { now } from '../clock.js';
import { CONNECTION, knownCode } from './error-codes.js';
import {
  DamagedBody,
  isSuccess,
  type HttpRequest,
  type HttpResponse,
  type Transport,
} from './request.js';
import { HostLimiter } from './limiter.js';
import { ProxyFailure } from './connect/proxy.js';
import { isSecondaryLimit, retryAfter } from './retry-after.js';

export interface RetryOptions {
  /** How often a request is sent again. */
  readonly retries: number;
  /** The first wait, in milliseconds; it doubles each time. */
  readonly delayMs: number;
  /** How many requests to the host of a URL are on their way at a time, from now on. */
  readonly concurrency: (url: URL) => number;
  readonly signal: AbortSignal;
  readonly onWait?: (wait: Wait) => void;
}

/** A wait before a request is sent again, for the user. */
export interface Wait {
  /** `host[:port]` of the request. */
  readonly host: string;
  /** Why, in a few words. */
  readonly reason: string;
  /** How long. */
  readonly milliseconds: number;
  /** Which try comes next, and how many there are. */
  readonly attempt: number;
  /** How many tries there are. */
  readonly attempts: number;
}

/** The longest single wait; a server that asks for more is not waited for. */
const MAX_WAIT_MS = 60_000;
/** The longest that one request may take with all its tries. */
const BUDGET_MS = 5 * 60_000;
/** Codes of a connection that the other side has closed. */
const STALE = new Map(
  [...CONNECTION].filter(([code]) => /^(UND_ERR_SOCKET|ECONNRESET|EPIPE)$/.test(code)),
);

const RETRIED_STATUS = new Set([408, 429, 500, 502, 503, 504]);

/**
 * Sends again what failed for a reason that passes: no connection, a reset, a time-out, 408, 429 and the 5xx that mean a moment, a body
 * that was cut or damaged. All other answers are final. Every request of this program may be repeated: reads, manifests by digest or the
 * same bytes to the same tag, mounts. Waits are shared by all requests to a host.
 */
export function withRetry(next: Transport, options: RetryOptions): Transport {
  const gates = new Map<string, HostLimiter>();
  return async (request) => {
    const { host } = request.url;
    const gate = gates.get(host) ?? new HostLimiter(() => options.concurrency(request.url));
    gates.set(host, gate);
    const start = now();
    const attempts = (request.retries ?? options.retries) + 1;

    /** One try; undefined where another one is to follow. The wait begins before anything else may pass the gate. */
    const attemptOnce = async (attempt: number): Promise<Result | undefined> => {
      const result = await tryOnce(next, { ...request, attempt });
      const reason = passing(result);
      if (reason === undefined || attempt >= attempts) return result;
      const wait = waitFor(result, attempt, options.delayMs);
      if (wait > MAX_WAIT_MS || now() - start + wait > BUDGET_MS) return result;
      // A connection that the other side had closed while it was idle: a fresh one, at once.
      if (attempt === 1 && 'error' in result && isStale(result.error)) return undefined;
      options.onWait?.({ host, reason, milliseconds: wait, attempt: attempt + 1, attempts });
      gate.pauseFor(wait);
      return undefined;
    };

    for (let attempt = 1; ; attempt += 1) {
      const result = await gate.run(options.signal, () => attemptOnce(attempt));
      if (result !== undefined) return final(result, attempt);
    }
  };
}

/** The time before the next try, in milliseconds: what the server asks for, and no less than our own back-off. */
function waitFor(result: Result, attempt: number, delayMs: number): number {
  const asked = 'response' in result ? retryAfter(result.response, Date.now()) : undefined;
  const own = Math.min(delayMs * 2 ** (attempt - 1), MAX_WAIT_MS);
  // A server may ask for no time at all, or its clock name a moment that is over here.
  return Math.max(asked ?? 0, own);
}

/** What was thrown in the end, and after how many tries. */
export class RetriesExhausted extends Error {
  constructor(
    readonly attempts: number,
    cause: unknown,
  ) {
    super(`gave up after ${attempts} tries`, { cause });
  }
}

type Result = { readonly response: HttpResponse } | { readonly error: unknown };

async function tryOnce(next: Transport, request: HttpRequest): Promise<Result> {
  try {
    const response = await next(request);
    if (isSuccess(response.status)) request.check?.(response);
    return { response };
  } catch (error) {
    return { error };
  }
}

/** Why a result is worth another try, in a few words; undefined where it is not. */
function passing(result: Result): string | undefined {
  if ('error' in result) return transientReason(result.error);
  const { status } = result.response;
  if (RETRIED_STATUS.has(status) || isSecondaryLimit(result.response)) return `status ${status}`;
  return undefined;
}

function final(result: Result, attempts: number): HttpResponse {
  if ('response' in result) return { ...result.response, attempts };
  if (attempts === 1) throw result.error;
  throw new RetriesExhausted(attempts, result.error);
}

/** Why an error may pass by itself; a host that is not known and a certificate that proves nothing do not. */
function transientReason(error: unknown): string | undefined {
  if (error instanceof DamagedBody) return error.message;
  // A proxy that wants other credentials wants them the next time as well.
  if (error instanceof ProxyFailure && error.status === 407) return undefined;
  if (error instanceof ProxyFailure) return error.message;
  const code = knownCode(error, CONNECTION);
  return code === undefined || code === 'ENOTFOUND' ? undefined : CONNECTION.get(code);
}

/** Whether the other side had closed a connection that was kept for the next request. */
function isStale(error: unknown): boolean {
  return knownCode(error, STALE) !== undefined;
}
