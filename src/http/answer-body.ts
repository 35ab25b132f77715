import { systemCode } from '../errors.js';
import {
  BodyTooLarge,
  DamagedBody,
  isSuccess,
  type HttpHeaders,
  type HttpRequest,
} from './request.js';

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

/** First bytes of a gzip file (RFC 1952, 2.3.1). */
const GZIP = [0x1f, 0x8b];

/**
 * The document that is the body of an answer. Some servers compress it although the request asks for
 * `identity`, which Go's client accepts; others only say that they do.
 * @throws {BodyTooLarge} if the document is larger than `maxBytes`; {@link DamagedBody} if it cannot
 * be decompressed.
 */
export function documentOf(body: Uint8Array, headers: HttpHeaders, maxBytes: number): Uint8Array {
  const encoding = headers.first('content-encoding')?.trim().toLowerCase();
  const isGzip = GZIP.every((byte, at) => body[at] === byte);
  const isCompressed = isGzip && (encoding === 'gzip' || encoding === 'x-gzip');
  if (!isCompressed) return body;
  const { constants, gunzipSync } = process.getBuiltinModule('node:zlib');
  try {
    // What has come of an error that was cut off is enough.
    const finishFlush = constants.Z_SYNC_FLUSH;
    return gunzipSync(body, { maxOutputLength: Math.max(1, maxBytes), finishFlush });
  } catch (error) {
    if (systemCode(error) === 'ERR_BUFFER_TOO_LARGE') throw new BodyTooLarge(maxBytes);
    throw new DamagedBody('its answer cannot be decompressed', { cause: error });
  }
}
