import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
// Deep imports: the package's index would load fetch, websockets and a cache that nothing here uses (a third of the start-up).
import undiciRequest from 'undici/lib/api/api-request.js';
import {
  BodyTooLarge,
  HttpHeaders,
  isSuccess,
  type HttpRequest,
  type Transport,
} from './request.js';
import { orAborted } from '../concurrency.js';
import type { Timeouts } from './timeouts.js';

/** One request of HTTP/1.1, over a connection of the dispatcher for its origin. */
export function undiciTransport(
  dispatcherFor: (url: URL) => Dispatcher,
  timeouts: Timeouts,
  signal: AbortSignal,
): Transport {
  return async (request) => {
    const { url, method, body, upload } = request;
    const sent = undiciRequest.call(dispatcherFor(url), {
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: { ...request.headers, ...lengthOf(request) },
      body: upload === undefined ? (body ?? null) : Readable.from(upload.open()),
      // Without it undici closes the connection after every HEAD.
      reset: false,
      idempotent: true,
      headersTimeout: request.answerTimeoutMs ?? timeouts.headersMs,
      bodyTimeout: timeouts.idleMs,
      signal,
    });
    const answer = await orAborted(sent, signal);
    const head = {
      status: answer.statusCode,
      headers: new HttpHeaders(answer.headers),
      url,
    };
    if (request.streamed === true && isSuccess(answer.statusCode)) {
      return { ...head, body: new Uint8Array(), stream: answer.body };
    }
    return { ...head, body: await readWhole(answer.body, request) };
  };
}

/** The length of a body that does not tell it by itself: some registries refuse what comes without. */
function lengthOf({ method, body, upload }: HttpRequest): Record<string, string> {
  if (upload !== undefined) return { 'content-length': String(upload.length) };
  return method === 'POST' && body === undefined ? { 'content-length': '0' } : {};
}

async function readWhole(
  body: AsyncIterable<Uint8Array> & { destroy(): void },
  request: HttpRequest,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > request.maxBytes) {
      body.destroy();
      throw new BodyTooLarge(request.maxBytes);
    }
    chunks.push(chunk);
  }
  // Lets undici give the connection back first: the next request would open another one otherwise.
  await new Promise((resolve) => setImmediate(resolve));
  return Buffer.concat(chunks);
}
