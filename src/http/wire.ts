import { Attempts } from '../attempts.js';
import { orAborted } from '../concurrency.js';
import { alertIn, TlsAlert } from './connect/alert.js';
import { isClosed } from './errors.js';
import { AnswerDeadline } from './answer-deadline.js';
import { bodyLimits, documentOf } from './answer-body.js';
import type { Origin } from './connect/direct.js';
import { NotProcessed } from './connect/http2.js';
import {
  BodyTooLarge,
  type BegunAnswer,
  type BodyStream,
  type HttpHeaders,
  type HttpRequest,
  type HttpResponse,
  type Timeouts,
  type Transport,
} from './request.js';

/** How requests reach servers. */
export interface WireOptions {
  /** The connections to the origin of a URL. */
  readonly originOf: (url: URL) => Promise<Origin>;
  readonly timeouts: Timeouts;
  /** Aborts the requests that have no signal of their own. */
  readonly signal: AbortSignal;
}

/** The limits of one attempt. */
type Limits = Pick<WireOptions, 'timeouts' | 'signal'>;

/**
 * How many requests of one operation are sent again because the server has not processed them
 * (RFC 9113, 8.7): a server that often closes its connections refuses many.
 */
const MAX_RESENT = 20;

/** The innermost layer: sends one request over the connections to its origin. */
export function wire(options: WireOptions): Transport {
  const { originOf } = options;
  return async (request) => {
    const { signal = options.signal } = request;
    // undici would open a connection even for a request that is aborted.
    signal.throwIfAborted();
    const origin = await originOf(request.url);
    signal.throwIfAborted();
    for (;;) {
      const used = origin.tls?.secureContext;
      try {
        const response = await send(origin, request, { ...options, signal });
        if (origin.tls !== undefined) origin.tls.isAccepted = true;
        return response;
      } catch (error) {
        const alert = alertIn(error) ?? (await lostAlert(origin, error));
        if (alert === undefined) throw error;
        const failure = new TlsAlert(alert, origin.tls?.hasClient ?? false, error);
        // A handshake that was refused has carried no request.
        const hasNext = failure.isAboutClient && origin.tls?.useNextClient(used!) === true;
        if (!hasNext) throw failure;
      }
    }
  };
}

/**
 * The alert for a connection that the server has closed: the reset that follows may have destroyed
 * it. Not for a server that has let this client in before.
 */
async function lostAlert(origin: Origin, error: unknown): Promise<string | undefined> {
  if (origin.alert === undefined || origin.tls?.isAccepted === true) return undefined;
  return isClosed(error) ? origin.alert() : undefined;
}

/** Sends a request within its time. */
async function send(
  origin: Origin,
  request: HttpRequest,
  { timeouts, signal }: WireOptions,
): Promise<HttpResponse> {
  const { upload, leftMs = Infinity } = request;
  const totalMs = Math.max(timeouts.answerMs, request.answerTimeoutMs ?? 0);
  const deadline = new AnswerDeadline(signal, Math.max(0, Math.min(leftMs, totalMs)), totalMs);
  const watched = upload === undefined ? request : { ...request, upload: deadline.upload(upload) };
  let stream: BodyStream | undefined;
  try {
    const limits = { timeouts, signal: deadline.signal };
    const response = await exchange(origin, watched, limits);
    stream = response.stream && deadline.stream(response.stream, timeouts);
    return stream === undefined ? response : { ...response, stream };
  } finally {
    if (stream === undefined) deadline.end();
  }
}

async function exchange(
  { http1, http2 }: Origin,
  request: HttpRequest,
  options: Limits,
): Promise<HttpResponse> {
  const { attempts = new Attempts() } = request;
  const { signal, timeouts } = options;
  for (;;) {
    const connection = http2 && (await orAborted(http2.connection(), signal));
    if (connection === undefined)
      return read(await http1.send(request, timeouts, signal), request, signal);
    try {
      return await read(await connection.send(request, timeouts, signal), request, signal);
    } catch (error) {
      const isNotProcessed = error instanceof NotProcessed;
      if (!isNotProcessed || attempts.countUnprocessed() > MAX_RESENT) throw error;
    }
  }
}

/** Reads an answer as far as its request wants it, and as far as {@link bodyLimits} allows. */
async function read(
  { status, headers, body }: BegunAnswer,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const head = { status, headers, url: request.url };
  if (request.streamed === true && status === 200)
    return { ...head, body: new Uint8Array(), stream: body };
  const { maxBytes, waitMs } = bodyLimits(request, status);
  const received =
    waitMs === undefined
      ? await readWhole(body, maxBytes)
      : await readStart(body, maxBytes, waitMs);
  signal.throwIfAborted();
  if (waitMs === undefined) return { ...head, body: documentOf(received, headers, maxBytes) };
  return { ...head, body: startOf(received, headers, maxBytes) };
}

/** The same of a body that the answer can do without: as it came if it cannot be decompressed. */
function startOf(body: Uint8Array, headers: HttpHeaders, maxBytes: number): Uint8Array {
  try {
    return documentOf(body, headers, maxBytes);
  } catch {
    return body;
  }
}

async function readWhole(body: BodyStream, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBytes) {
      body.destroy();
      throw new BodyTooLarge(maxBytes);
    }
    chunks.push(chunk);
  }
  await returnConnection();
  return Buffer.concat(chunks);
}

/** Reads what comes of a body that the answer can do without. */
async function readStart(body: BodyStream, maxBytes: number, waitMs: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const timer = setTimeout(() => body.destroy(), waitMs);
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      length += chunk.length;
      // Leaving the loop destroys the body.
      if (length >= maxBytes) break;
    }
    await returnConnection();
  } catch {
    // It was cut off, or waited for long enough.
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks);
}

/** Lets undici take the connection back first: the next request would open another one otherwise. */
function returnConnection(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
