import { isSuccess, type HttpRequest } from './request.js';

/** Longest wait for the body of an error, in milliseconds, and its largest size, in bytes. */
const ERROR_BODY = { waitMs: 5000, maxBytes: 1024 * 1024 };
/** The same for the body of a successful answer that matters by its head alone. */
const UNUSED_BODY = { waitMs: 250, maxBytes: 64 * 1024 };

/** How much of the body of an answer is read. */
export interface BodyLimits {
  /** In bytes. */
  readonly maxBytes: number;
  /**
   * How long it is waited for, in milliseconds; undefined if the answer is nothing without it.
   */
  readonly waitMs?: number;
}

/**
 * How much of the body of an answer is read. An error has its meaning by its status, and a write is
 * done when its 2xx has arrived: the body may be cut off, endless, or announced and never sent
 * (seen with pulp), which does not make it another answer.
 */
export function bodyLimits({ maxBytes, streamed }: HttpRequest, status: number): BodyLimits {
  if (!isSuccess(status) || streamed === true) return ERROR_BODY;
  return maxBytes === 0 ? UNUSED_BODY : { maxBytes };
}
