import { Attempts } from '../attempts.js';
import { now } from '../clock.js';
import { ManifestToolError } from '../errors.js';
import { SlowAnswer } from './answer-deadline.js';
import { CONNECTION, isClosed, knownCode, malformation, RetriesExhausted } from './errors.js';
import {
  DamagedBody,
  isSuccess,
  type HttpRequest,
  type HttpResponse,
  type Layer,
  type Transport,
} from './request.js';
import { HostLimiter } from './limiter.js';
import { TlsAlert } from './connect/alert.js';
import { ProxyFailure } from './connect/proxy.js';
import { isSecondaryLimit, MAX_WAIT_MS, retryAfter } from './retry-after.js';

export interface RetryOptions {
  /** How often a request is sent again after a transient failure. */
  readonly retries: number;
  /** Delay before the first retry, in milliseconds; doubles after each attempt. */
  readonly delayMs: number;
  /** How many requests may run at a time at the host of a URL; asked each time. */
  readonly concurrency: (url: URL) => number;
  /** Longest time for one request with all its attempts and waits, in milliseconds. */
  readonly answerMs: number;
  /** Ends the waits of requests that have no signal of their own. */
  readonly signal: AbortSignal;
  readonly onWait?: (wait: RetryEvent) => void;
}

/** A wait before a request is sent again. */
export interface RetryEvent {
  /** `host[:port]` of the request. */
  readonly host: string;
  /** Why, in a few words. */
  readonly reason: string;
  /** How long. */
  readonly milliseconds: number;
  /** Which attempt comes next, counted from 1. */
  readonly attempt: number;
  /** How many attempts there are at most. */
  readonly attempts: number;
}

/** Longest total wait of one operation, in milliseconds. */
const MAX_TOTAL_WAIT_MS = 5 * 60_000;
const RETRIED_STATUS = new Set([408, 429, 500, 502, 503, 504]);

/**
 * Decides whether, when and how often a request is sent again; one for all requests of a client.
 * Transient failures are: no connection, a reset, a timeout, a cut or damaged body, 408, 429, 500,
 * 502, 503, 504. Every request of this program may be repeated: reads, mounts, uploads to a new
 * session, manifests by digest or the same bytes to the same tag. All requests to a host share its
 * waits.
 */
export class RetryPolicy {
  private readonly limiters = new Map<string, HostLimiter>();

  constructor(private readonly options: RetryOptions) {}

  /**
   * The layer that sends requests again. A request of an operation that restarts as a whole (an
   * upload, a read that resumes) is sent once; if it fails transiently, the operation is granted a
   * restart.
   */
  readonly layer: Layer = async (request, next) => {
    const attempts = request.attempts ?? new Attempts();
    let leftMs = Math.max(this.options.answerMs, request.answerTimeoutMs ?? 0);
    for (;;) {
      const { number, waitedMs } = attempts;
      const { result, isGranted } = await this.limiter(request.url).run(
        request.signal ?? this.options.signal,
        async () => {
          const began = now();
          const outcome = await tryOnce(next, { ...request, attempts, leftMs });
          // The time in the queue does not count.
          leftMs -= now() - began;
          // Decided here, so that nothing else passes the limiter before the wait has begun.
          return {
            result: outcome,
            isGranted: this.grantAfter(outcome, { ...request, leftMs }, attempts),
          };
        },
      );
      leftMs -= attempts.waitedMs - waitedMs;
      const isEarly = number === 1 && 'error' in result && request.returnsEarly?.(result.error);
      if (isGranted && !attempts.restarts && isEarly !== true) continue;
      if (isGranted) attempts.grantRestart();
      return final(result, number);
    }
  };

  /**
   * Begins another attempt of an operation, after a failure that the layer has not seen: of content
   * that was read as a stream from `url`. The next request to that host waits.
   * @returns false if the failure is not transient, or the attempts are used up.
   */
  grant(attempts: Attempts, url: URL, error: unknown): boolean {
    const reason = transientReason(error);
    return reason !== undefined && this.next(attempts, url, { reason, askedMs: 0 });
  }

  private grantAfter(
    result: Result,
    { url, retries, leftMs }: HttpRequest,
    attempts: Attempts,
  ): boolean {
    const reason =
      'error' in result ? transientReason(result.error) : statusReason(result.response);
    if (reason === undefined) return false;
    const isStale = attempts.number === 1 && 'error' in result && isClosed(result.error);
    const askedMs = 'response' in result ? (retryAfter(result.response, Date.now()) ?? 0) : 0;
    return this.next(attempts, url, {
      reason,
      askedMs,
      isStale,
      retries,
      ...(!attempts.restarts && { leftMs }),
    });
  }

  private next(
    attempts: Attempts,
    url: URL,
    {
      reason,
      askedMs,
      isStale = false,
      retries = this.options.retries,
      leftMs = Infinity,
    }: Failure,
  ): boolean {
    const limit = retries + 1;
    if (attempts.number >= limit) return false;
    // A server may ask for no time at all, or its clock name a moment that is over here.
    const backOff = Math.min(this.options.delayMs * 2 ** (attempts.number - 1), MAX_WAIT_MS);
    const wait = Math.max(askedMs, backOff);
    if (wait >= leftMs) return false;
    if (wait > MAX_WAIT_MS || attempts.waitedMs + wait > MAX_TOTAL_WAIT_MS) return false;
    attempts.begin({ waitMs: isStale ? 0 : wait, isLast: attempts.number + 1 >= limit });
    // The other side had closed the connection while it was idle: a fresh one, at once.
    if (isStale) return true;
    const attempt = attempts.number;
    this.options.onWait?.({ host: url.host, reason, milliseconds: wait, attempt, attempts: limit });
    this.limiter(url).pauseFor(wait);
    return true;
  }

  private limiter(url: URL): HostLimiter {
    const known = this.limiters.get(url.host);
    if (known !== undefined) return known;
    const limiter = new HostLimiter(() => this.options.concurrency(url));
    this.limiters.set(url.host, limiter);
    return limiter;
  }
}

/**
 * An error with the number of attempts, if there was more than one. An error of this program says
 * what it has to say itself.
 */
export function afterAttempts(error: unknown, attempts: number): unknown {
  if (attempts === 1 || error instanceof ManifestToolError) return error;
  return new RetriesExhausted(attempts, error);
}

interface Failure {
  /** Why another attempt may help, in a few words. */
  readonly reason: string;
  /** The wait that the server asks for, in milliseconds. */
  readonly askedMs: number;
  /** Whether the connection was closed before the request was sent. */
  readonly isStale?: boolean;
  readonly retries?: number | undefined;
  /** The time that is left for waits and other attempts, in milliseconds. */
  readonly leftMs?: number | undefined;
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

function statusReason(response: HttpResponse): string | undefined {
  const { status } = response;
  const isTransient = RETRIED_STATUS.has(status) || isSecondaryLimit(response);
  return isTransient ? `status ${status}` : undefined;
}

function final(result: Result, attempts: number): HttpResponse {
  if ('response' in result) return { ...result.response, attempts };
  throw afterAttempts(result.error, attempts);
}

/**
 * Why an error may be gone at the next attempt; undefined for an unknown host, a certificate that is
 * not trusted, or an alert of TLS.
 */
function transientReason(error: unknown): string | undefined {
  // What has been judged already: a source, for example, whose content is being uploaded.
  if (error instanceof ManifestToolError || error instanceof RetriesExhausted) return undefined;
  // The server has refused the handshake: a definite answer.
  if (error instanceof TlsAlert) return undefined;
  if (error instanceof DamagedBody) return error.message;
  if (error instanceof SlowAnswer) return `it ${error.message}`;
  // A proxy that wants other credentials wants them the next time as well.
  if (error instanceof ProxyFailure && error.status === 407) return undefined;
  if (error instanceof ProxyFailure) return error.message;
  // The server would write the same answer again.
  if (malformation(error) !== undefined) return undefined;
  const code = knownCode(error, CONNECTION);
  return code === undefined || code === 'ENOTFOUND' ? undefined : CONNECTION.get(code);
}
