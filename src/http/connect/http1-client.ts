import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
// undici's index would also load fetch, WebSocket and a cache: a third of the time to start.
import undiciRequest from 'undici/lib/api/api-request.js';
import PoolClass from 'undici/lib/dispatcher/pool.js';
import {
  contentLength,
  HttpHeaders,
  type BegunAnswer,
  type HttpRequest,
  type Timeouts,
} from '../request.js';

export { PoolClass };

/** Sends a request over a pool of connections; the answer comes as soon as it begins. */
export async function sendOver(
  dispatcher: Dispatcher,
  request: HttpRequest,
  timeouts: Timeouts,
  signal: AbortSignal,
): Promise<BegunAnswer> {
  const { url, method, body, upload } = request;
  const {
    statusCode,
    headers,
    body: answer,
  } = await undiciRequest.call(dispatcher, {
    origin: url.origin,
    path: url.pathname + url.search,
    method,
    headers: { ...request.headers, ...contentLength(request) },
    body: upload === undefined ? (body ?? null) : Readable.from(upload.open()),
    // By default, undici closes the connection after every HEAD.
    reset: false,
    idempotent: true,
    headersTimeout: request.answerTimeoutMs ?? timeouts.headersMs,
    bodyTimeout: timeouts.idleMs,
    signal,
  });
  // Readers get the error all the same; destroying the body must not end the process.
  answer.on('error', () => undefined);
  return { status: statusCode, headers: new HttpHeaders(headers), body: answer };
}
